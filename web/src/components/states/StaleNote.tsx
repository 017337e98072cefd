import Alert from '@mui/material/Alert'
import Button from '@mui/material/Button'
import { Age } from '@/components/Time'

/** Above data that could not be refreshed. */
export function StaleNote({ at, what, onRetry }: { at: number; what: string; onRetry: () => void }) {
  return (
    <Alert
      severity="warning"
      sx={{ mb: 1 }}
      action={
        <Button color="inherit" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      Could not refresh {what}. This is from <Age at={at} />.
    </Alert>
  )
}
