import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { CloudOff, Lock, SearchX, TriangleAlert } from 'lucide-react'
import { hasStatus, Problem, Unreachable } from '@/api/problem'

interface ErrorStateProps {
  error: unknown
  onRetry?: () => void
  /** What could not be shown: "the sessions". */
  what?: string
}

function describe(error: unknown, what: string): { icon: typeof Lock; title: string; detail: string } {
  if (error instanceof Unreachable) {
    return {
      icon: CloudOff,
      title: 'The server cannot be reached',
      detail: 'Check the network; this page tries again by itself when it is back.',
    }
  }
  if (hasStatus(error, 403)) return { icon: Lock, title: 'Not allowed', detail: 'Your roles do not include this.' }
  if (hasStatus(error, 404)) return { icon: SearchX, title: 'Not found', detail: (error as Problem).message }
  const detail = error instanceof Problem ? error.message : 'Something in this page went wrong.'
  return { icon: TriangleAlert, title: `Could not load ${what}`, detail }
}

/** Says what went wrong, how to go on, and the id by which the logs know it. */
export function ErrorState({ error, onRetry, what = 'this' }: ErrorStateProps) {
  const { icon: Icon, title, detail } = describe(error, what)
  return (
    <Box role="alert" sx={{ display: 'grid', justifyItems: 'center', textAlign: 'center', gap: 1, py: 5, px: 2 }}>
      <Box sx={{ color: 'text.secondary' }}>
        <Icon size={28} strokeWidth={1.6} aria-hidden />
      </Box>
      <Typography variant="h3" component="p">
        {title}
      </Typography>
      <Typography variant="body2" color="textSecondary" sx={{ maxWidth: 480 }}>
        {detail}
      </Typography>
      {error instanceof Problem && error.requestId && (
        <Typography variant="caption" color="textSecondary">
          Request <code className="mono">{error.requestId}</code>
        </Typography>
      )}
      {onRetry && (
        <Button variant="outlined" onClick={onRetry} sx={{ mt: 0.5 }}>
          Try again
        </Button>
      )}
    </Box>
  )
}
