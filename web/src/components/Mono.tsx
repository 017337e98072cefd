import Box from '@mui/material/Box'
import { unknown } from '@/format/number'
import { CopyButton } from './CopyButton'

interface MonoProps {
  text: string | null | undefined
  /** With a button that copies it; completes "Copy …". */
  copy?: string
}

/** An identifier or an address, in a font in which no two characters look alike. */
export function Mono({ text, copy }: MonoProps) {
  if (!text) return <span>{unknown}</span>
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.25, minWidth: 0, maxWidth: '100%' }}>
      <Box component="span" className="mono" sx={{ overflowWrap: 'anywhere', minWidth: 0 }}>
        {text}
      </Box>
      {copy && <CopyButton text={text} what={copy} />}
    </Box>
  )
}
