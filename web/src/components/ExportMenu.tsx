import Button from '@mui/material/Button'
import CircularProgress from '@mui/material/CircularProgress'
import Menu from '@mui/material/Menu'
import MenuItem from '@mui/material/MenuItem'
import { Download } from 'lucide-react'
import { useRef, useState } from 'react'
import { download } from '@/api/download'
import { formatBytes } from '@/format/number'
import { tell } from './Toasts'

export interface ExportFormat {
  label: string
  /** With its query: the whole filter, not only the page that is shown. */
  path: string
  fileName: string
}

/** Downloads a list as a file and tells how much has come. A second click stops it. */
export function ExportMenu({ formats, label = 'Export' }: { formats: ExportFormat[]; label?: string }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const [receivedBytes, setReceivedBytes] = useState<number>()
  const stop = useRef<AbortController>(undefined)
  const isRunning = receivedBytes !== undefined

  const run = async ({ path, fileName }: ExportFormat) => {
    setAnchor(null)
    stop.current = new AbortController()
    setReceivedBytes(0)
    try {
      await download(path, fileName, { signal: stop.current.signal, onProgress: (progress) => setReceivedBytes(progress.receivedBytes) })
      tell('The export is complete.')
    } catch (error) {
      if (stop.current.signal.aborted) tell('The export was stopped.', 'info')
      else tell(error instanceof Error ? `The export failed: ${error.message}` : 'The export failed.', 'error')
    } finally {
      setReceivedBytes(undefined)
    }
  }

  return (
    <>
      <Button
        variant="outlined"
        color="secondary"
        aria-haspopup={isRunning ? undefined : 'menu'}
        startIcon={isRunning ? <CircularProgress size={14} color="inherit" aria-hidden /> : <Download size={15} aria-hidden />}
        onClick={(event) => (isRunning ? stop.current?.abort() : setAnchor(event.currentTarget))}
      >
        {isRunning ? `${formatBytes(receivedBytes)} – stop` : label}
      </Button>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        slotProps={{ list: { 'aria-label': label, dense: true } }}
      >
        {formats.map((format) => (
          <MenuItem key={format.path} onClick={() => void run(format)}>
            {format.label}
          </MenuItem>
        ))}
      </Menu>
    </>
  )
}
