import IconButton from '@mui/material/IconButton'
import Tooltip from '@mui/material/Tooltip'
import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'

/** Puts `text` on the clipboard and says so. `what` completes "Copy …". */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => setCopied(false), 1600)
    return () => clearTimeout(timer)
  }, [copied])
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true))
  return (
    <Tooltip title={copied ? 'Copied' : `Copy ${what}`}>
      <IconButton aria-label={copied ? 'Copied' : `Copy ${what}`} onClick={copy} sx={{ p: 0.5 }}>
        {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </IconButton>
    </Tooltip>
  )
}
