import Box from '@mui/material/Box'
import Tooltip from '@mui/material/Tooltip'
import { Age } from '@/components/Time'
import { useRealtimeState } from '@/realtime/hooks'
import type { RealtimeKind } from '@/realtime/store'

interface Look {
  word: string
  colour: string
  explanation: string
}

const looks: Record<RealtimeKind, Look> = {
  live: { word: 'Live', colour: 'ovt.good', explanation: 'Sessions appear within a second of the event.' },
  connecting: { word: 'Connecting', colour: 'ovt.caution', explanation: 'Connecting to live updates.' },
  loading: { word: 'Loading', colour: 'ovt.caution', explanation: 'The live sessions are being read.' },
  stale: {
    word: 'Updates paused',
    colour: 'ovt.caution',
    explanation: 'The message bus is away: no changes arrive. The last state is shown.',
  },
  reconnecting: { word: 'Reconnecting', colour: 'ovt.caution', explanation: 'Live updates are interrupted. The last state is shown.' },
  offline: { word: 'Offline', colour: 'ovt.bad', explanation: 'This computer has no network. The last state is shown.' },
}

/** Whether what is shown is live, and if not, how old it is. */
export function ConnectionState() {
  const { kind, completeUntil, redis } = useRealtimeState()
  const { word, colour, explanation } = looks[kind]
  const cache = redis === 'ok' ? '' : ' The live cache is away; new connections may have to wait.'
  const age = kind === 'live' ? undefined : completeUntil
  return (
    <Tooltip title={explanation + cache}>
      <Box
        role="status"
        aria-label={`Live updates: ${word}`}
        data-state={kind}
        sx={{
          display: 'inline-flex',
          alignItems: 'center',
          gap: 0.75,
          fontSize: '0.75rem',
          fontWeight: 560,
          color: colour,
          whiteSpace: 'nowrap',
        }}
      >
        <Box
          component="span"
          aria-hidden
          sx={{
            width: 8,
            height: 8,
            mx: '3px',
            borderRadius: '50%',
            bgcolor: 'currentColor',
            boxShadow: kind === 'live' ? '0 0 0 3px color-mix(in srgb, currentColor 18%, transparent)' : 'none',
          }}
        />
        <Box component="span" sx={{ display: { xs: 'none', sm: 'inline' } }}>
          {word}
          {age !== undefined && (
            <Box component="span" sx={{ color: 'text.secondary', fontWeight: 400 }}>
              {' '}
              · <Age at={age} />
            </Box>
          )}
        </Box>
      </Box>
    </Tooltip>
  )
}
