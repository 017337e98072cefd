import Alert from '@mui/material/Alert'
import Button from '@mui/material/Button'
import Dialog from '@mui/material/Dialog'
import DialogActions from '@mui/material/DialogActions'
import DialogContent from '@mui/material/DialogContent'
import DialogTitle from '@mui/material/DialogTitle'
import Typography from '@mui/material/Typography'
import { useMutation } from '@tanstack/react-query'
import { ShieldCheck } from 'lucide-react'
import { answer, api } from '@/api/client'
import type { AuditVerification } from '@/api/types'
import { formatCount } from '@/format/number'

/** Asks the service to compute every hash of the chain anew. */
export function VerifyAudit() {
  const verify = useMutation({ mutationFn: () => answer(api.GET('/api/audit-logs/verify')) })
  const close = () => verify.reset()
  return (
    <>
      <Button
        variant="outlined"
        color="secondary"
        startIcon={<ShieldCheck size={15} aria-hidden />}
        loading={verify.isPending}
        onClick={() => verify.mutate()}
      >
        Verify
      </Button>
      <Dialog
        open={verify.isSuccess || verify.isError}
        onClose={close}
        maxWidth="sm"
        fullWidth
        slotProps={{ paper: { 'aria-label': 'Verification of the audit log' } }}
      >
        <DialogTitle component="h2" sx={{ fontSize: '1.05rem' }}>
          Verification of the audit log
        </DialogTitle>
        <DialogContent sx={{ display: 'grid', gap: 1.5 }}>
          {verify.error && <Alert severity="error">{verify.error.message}</Alert>}
          {verify.data && <Outcome outcome={verify.data} />}
        </DialogContent>
        <DialogActions>
          <Button onClick={close}>Close</Button>
        </DialogActions>
      </Dialog>
    </>
  )
}

function Outcome({ outcome }: { outcome: AuditVerification }) {
  const { entries, checkpoints, signed_to, first_bad, seconds } = outcome
  return (
    <>
      {first_bad ? (
        <Alert severity="error">
          Entry {first_bad.id} is not as it was written ({first_bad.fault.replaceAll('_', ' ')}): {first_bad.detail}
        </Alert>
      ) : (
        <Alert severity="success">Every entry is as it was written.</Alert>
      )}
      <Typography variant="body2">
        {formatCount(entries)} entries and {formatCount(checkpoints)} signed heads were checked in {seconds.toFixed(1)} s. The signatures
        vouch for everything up to entry {signed_to}.
      </Typography>
      <Typography variant="body2" color="textSecondary">
        Whoever does not trust this database verifies an export with the command <code className="mono">audit verify</code> and keys of
        their own.
      </Typography>
    </>
  )
}
