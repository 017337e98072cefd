import type { ServerStatus, SessionStatus } from '@/api/types'
import type { Tone } from '@/theme/tones'

export type { Tone }

interface ChipProps {
  tone: Tone
  label: string
  /** A dot before the word; `pulse`: something that is happening now. */
  dot?: boolean | 'pulse'
  title?: string
}

/** A word with a tone. The word says it all; the colour only helps. */
export function ToneChip({ tone, label, dot = false, title }: ChipProps) {
  return (
    <span className={`chip chip-${tone}`} title={title}>
      {dot && <span className={dot === 'pulse' ? 'chip-dot pulse' : 'chip-dot'} aria-hidden />}
      {label}
    </span>
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
