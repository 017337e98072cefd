import Box from '@mui/material/Box'
import { formatPercent, unknown } from '@/format/number'

interface MeterProps {
  percent: number | null | undefined
  label: string
}

function colourOf(percent: number): string {
  if (percent >= 90) return 'ovt.bad'
  return percent >= 75 ? 'ovt.caution' : 'primary.main'
}

/** A share of something that can be full, as a bar and a figure. */
export function Meter({ percent, label }: MeterProps) {
  if (percent == null) return <span>{unknown}</span>
  const rounded = Math.round(percent)
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1, width: '100%', verticalAlign: 'middle' }}>
      <Box
        component="span"
        role="meter"
        aria-label={label}
        aria-valuenow={rounded}
        aria-valuemin={0}
        aria-valuemax={100}
        sx={{ flex: 1, minWidth: 24, height: 5, borderRadius: 3, bgcolor: 'ovt.neutralSoft', overflow: 'hidden' }}
      >
        <Box
          component="span"
          sx={{ display: 'block', height: '100%', width: `${Math.min(100, percent)}%`, bgcolor: colourOf(percent), borderRadius: 3 }}
        />
      </Box>
      <Box component="span" className="tabular" sx={{ fontSize: '0.75rem', minWidth: 34, textAlign: 'right' }}>
        {formatPercent(rounded)}
      </Box>
    </Box>
  )
}
