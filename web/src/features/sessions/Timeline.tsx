import Box from '@mui/material/Box'
import type { SessionDetail } from '@/api/types'
import { Panel } from '@/components/Panel'
import { ToneChip, type Tone } from '@/components/StatusChip'
import { Time } from '@/components/Time'

type Entry = SessionDetail['timeline'][number]

const tones: Record<Entry['kind'], Tone> = {
  connected: 'good',
  address_changed: 'info',
  counters_reset: 'caution',
  traffic_milestone: 'neutral',
  gap: 'caution',
  termination_requested: 'info',
  last_proof: 'neutral',
  ended: 'neutral',
}

const sources: Record<Entry['known_from'], string> = {
  event: 'an event says so',
  snapshot: 'a full list of sessions says so',
  inference: 'it follows from what else is known',
  portal: 'asked in the portal',
}

/** What happened, in order, and how each of it is known. */
export function Timeline({ session }: { session: SessionDetail }) {
  return (
    <Panel title="Timeline" note="how each fact is known stands beside it">
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 0 }}>
        {session.timeline.map((entry, index) => (
          <Step key={`${entry.kind}-${entry.at}-${index}`} entry={entry} isLast={index === session.timeline.length - 1} />
        ))}
      </Box>
    </Panel>
  )
}

function Step({ entry, isLast }: { entry: Entry; isLast: boolean }) {
  return (
    <Box component="li" sx={{ display: 'grid', gridTemplateColumns: '14px minmax(0, 1fr)', gap: 1.5 }}>
      <Box aria-hidden sx={{ display: 'grid', justifyItems: 'center', gridTemplateRows: '22px 1fr' }}>
        <Box sx={{ width: 9, height: 9, borderRadius: '50%', bgcolor: 'primary.main', alignSelf: 'center' }} />
        {!isLast && <Box sx={{ width: '2px', bgcolor: 'divider', height: '100%' }} />}
      </Box>
      <Box sx={{ pb: isLast ? 0 : 1.75, minWidth: 0, fontSize: '0.875rem' }}>
        <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 1.25, rowGap: 0.25 }}>
          <ToneChip tone={tones[entry.kind]} label={entry.kind.replaceAll('_', ' ')} />
          <Time at={entry.at} precision="milliseconds" relative={entry.until ? 'none' : 'beside'} />
          {entry.until && (
            <>
              – <Time at={entry.until} precision="milliseconds" relative="none" />
            </>
          )}
        </Box>
        <Box sx={{ overflowWrap: 'anywhere' }}>{entry.text}</Box>
        <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>{sources[entry.known_from]}</Box>
      </Box>
    </Box>
  )
}
