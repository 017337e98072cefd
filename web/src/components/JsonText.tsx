import Box from '@mui/material/Box'
import { CopyButton } from './CopyButton'

/** JSON as it is, readable and to be copied. */
export function JsonText({ label, value, maxHeight = 420 }: { label: string; value: unknown; maxHeight?: number }) {
  const text = JSON.stringify(value, null, 2) ?? ''
  return (
    <Box sx={{ position: 'relative' }}>
      <Box
        component="pre"
        tabIndex={0}
        role="region"
        aria-label={label}
        className="mono"
        sx={{
          m: 0,
          p: 1.5,
          pr: 5,
          borderRadius: 1,
          bgcolor: 'ovt.neutralSoft',
          fontSize: '0.75rem',
          overflow: 'auto',
          maxHeight,
          whiteSpace: 'pre-wrap',
          overflowWrap: 'anywhere',
        }}
      >
        {text}
      </Box>
      <Box sx={{ position: 'absolute', top: 4, right: 4 }}>
        <CopyButton text={text} what={label.toLowerCase()} />
      </Box>
    </Box>
  )
}
