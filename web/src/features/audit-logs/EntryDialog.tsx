import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import type { AuditEntry } from '@/api/types'
import { Facts } from '@/components/Facts'
import { JsonText } from '@/components/JsonText'
import { Mono } from '@/components/Mono'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'
import { spaced } from './words'

/** Everything that an entry holds, its place in the chain too. */
export function EntryDialog({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const title = `${entry.actor_name}: ${spaced(entry.action)} ${spaced(entry.object_type)}`
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth slotProps={{ paper: { 'aria-label': title } }}>
      <DialogTitle component="h2" sx={{ fontSize: '1.05rem' }}>
        {title}
      </DialogTitle>
      <DialogContent sx={{ display: 'grid', gap: 2 }}>
        <Facts
          facts={[
            { label: 'When', value: <Time at={entry.created_at} precision="milliseconds" /> },
            { label: 'Entry', value: entry.id },
            { label: 'Actor', value: entry.actor_name },
            { label: 'Object', value: `${spaced(entry.object_type)} ${entry.object_id ?? ''}` },
            { label: 'Address', value: <Mono text={entry.ip_address} /> },
            { label: 'Request', value: <Mono text={entry.request_id} /> },
            { label: 'Browser or program', value: entry.user_agent ?? unknown },
          ]}
        />
        <JsonText label="Details" value={entry.details} />
        <Box sx={{ fontSize: '0.75rem', color: 'text.secondary', display: 'grid', gap: 0.5 }}>
          <span>
            Hash <Mono text={entry.entry_hash} copy="hash" />
          </span>
          <span>
            Hash of the entry before <Mono text={entry.previous_hash} />
          </span>
        </Box>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  )
}
