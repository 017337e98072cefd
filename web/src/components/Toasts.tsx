import Alert, { type AlertColor } from '@mui/material/Alert'
import Snackbar from '@mui/material/Snackbar'
import { useSyncExternalStore } from 'react'

interface Toast {
  id: number
  text: string
  severity: AlertColor
}

let toast: Toast | undefined
let count = 0
const listeners = new Set<() => void>()

function set(next: Toast | undefined): void {
  toast = next
  for (const listener of listeners) listener()
}

/** A short message at the bottom: what was done, or could not be. */
export function tell(text: string, severity: AlertColor = 'success'): void {
  count += 1
  set({ id: count, text, severity })
}

export function Toasts() {
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toast,
  )
  if (!current) return null
  return (
    <Snackbar
      key={current.id}
      open
      autoHideDuration={current.severity === 'error' ? 9000 : 4500}
      onClose={(_event, reason) => reason !== 'clickaway' && set(undefined)}
      anchorOrigin={{ vertical: 'bottom', horizontal: 'center' }}
    >
      <Alert severity={current.severity} variant="filled" onClose={() => set(undefined)}>
        {current.text}
      </Alert>
    </Snackbar>
  )
}
