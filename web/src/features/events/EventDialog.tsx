import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import { useId, type ReactNode } from 'react'
import { Facts } from '@/components/Facts'
import { JsonText } from '@/components/JsonText'

interface EventDialogProps {
  title: string
  facts: { label: string; value: ReactNode }[]
  /** The event's own text. */
  event: unknown
  onClose: () => void
}

/** One event, whole. */
export function EventDialog({ title, facts, event, onClose }: EventDialogProps) {
  const id = useId()
  return (
    <Dialog open onClose={onClose} maxWidth="md" fullWidth aria-labelledby={id}>
      <DialogTitle id={id} component="h2" sx={{ fontSize: '1.05rem' }}>
        {title}
      </DialogTitle>
      <DialogContent sx={{ display: 'grid', gap: 2 }}>
        <Facts facts={facts} />
        <JsonText label="The event" value={event} />
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  )
}

/** What an agent wrote may be no JSON, or be cut off: then it is shown as it is. */
export function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
