import Box from '@mui/material/Box'
import type { ServerStatus, SessionStatus } from '@/api/types'

export type Tone = 'good' | 'caution' | 'bad' | 'info' | 'neutral'

const toneColours: Record<Tone, { text: string; back: string }> = {
  good: { text: 'ovt.good', back: 'ovt.goodSoft' },
  caution: { text: 'ovt.caution', back: 'ovt.cautionSoft' },
  bad: { text: 'ovt.bad', back: 'ovt.badSoft' },
  info: { text: 'ovt.info', back: 'ovt.infoSoft' },
  neutral: { text: 'ovt.textMuted', back: 'ovt.neutralSoft' },
}

interface ChipProps {
  tone: Tone
  label: string
  /** A dot before the word; `pulse`: something that is happening now. */
  dot?: boolean | 'pulse'
  title?: string
}

/** A word with a tone. The word says it all; the colour only helps. */
export function ToneChip({ tone, label, dot = false, title }: ChipProps) {
  const { text, back } = toneColours[tone]
  return (
    <Box
      component="span"
      title={title}
      sx={{
        display: 'inline-flex',
        alignItems: 'center',
        gap: 0.75,
        px: 1,
        height: 22,
        borderRadius: 11,
        bgcolor: back,
        color: text,
        fontSize: '0.75rem',
        fontWeight: 560,
        whiteSpace: 'nowrap',
        lineHeight: 1,
        verticalAlign: 'middle',
      }}
    >
      {dot && <Dot pulse={dot === 'pulse'} />}
      {label}
    </Box>
  )
}

function Dot({ pulse }: { pulse: boolean }) {
  return (
    <Box
      component="span"
      aria-hidden
      sx={{
        width: 7,
        height: 7,
        borderRadius: '50%',
        bgcolor: 'currentColor',
        ...(pulse && {
          animation: 'ovt-pulse 2s ease-in-out infinite',
          '@keyframes ovt-pulse': { '50%': { opacity: 0.35 } },
        }),
      }}
    />
  )
}

export function SessionStatusChip({ status }: { status: SessionStatus }) {
  const tones: Record<SessionStatus, Tone> = { active: 'good', disconnected: 'neutral', timeout: 'caution' }
  return <ToneChip tone={tones[status]} label={status} dot={status === 'active'} />
}

const serverStates: Record<ServerStatus, { tone: Tone; label: string }> = {
  healthy: { tone: 'good', label: 'healthy' },
  degraded: { tone: 'caution', label: 'degraded' },
  silent: { tone: 'bad', label: 'silent' },
  never_seen: { tone: 'info', label: 'never seen' },
  retired: { tone: 'neutral', label: 'retired' },
}

export function ServerStatusChip({ status }: { status: ServerStatus }) {
  const { tone, label } = serverStates[status]
  return <ToneChip tone={tone} label={label} dot />
}
