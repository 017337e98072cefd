import Alert from '@mui/material/Alert'
import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import { useId, type ReactNode } from 'react'

interface ConfirmDialogProps {
  open: boolean
  title: string
  children: ReactNode
  /** The verb on the button: "Revoke key". */
  confirm: string
  danger?: boolean
  disabled?: boolean
  busy?: boolean
  error?: Error | null
  onConfirm: () => void
  onClose: () => void
}

/** Asks before something that is not easily undone. Stays open, with what was typed, when it fails. */
export function ConfirmDialog({ open, title, children, confirm, danger, disabled, busy, error, onConfirm, onClose }: ConfirmDialogProps) {
  const id = useId()
  return (
    <Dialog open={open} onClose={busy ? undefined : onClose} aria-labelledby={id} maxWidth="xs" fullWidth>
      <DialogTitle id={id} component="h2" sx={{ fontSize: '1.05rem', fontWeight: 620 }}>
        {title}
      </DialogTitle>
      <DialogContent sx={{ display: 'grid', gap: 2, pt: '4px !important' }}>
        {children}
        {error && <Alert severity="error">{error.message}</Alert>}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <Button onClick={onClose} disabled={busy} color="secondary">
          Cancel
        </Button>
        <Button variant="contained" color={danger ? 'error' : 'primary'} onClick={onConfirm} disabled={disabled} loading={busy}>
          {confirm}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
