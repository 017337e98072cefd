import ToggleButton from '@mui/material/ToggleButton'
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup'

interface SegmentsProps<T extends string> {
  label: string
  value: T
  choices: Record<T, string>
  onChange: (value: T) => void
}

/** One of a few, all of them visible. */
export function Segments<T extends string>({ label, value, choices, onChange }: SegmentsProps<T>) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      aria-label={label}
      value={value}
      onChange={(_event, chosen: T | null) => chosen !== null && onChange(chosen)}
    >
      {(Object.entries(choices) as [T, string][]).map(([choice, title]) => (
        <ToggleButton
          key={choice}
          value={choice}
          className="tabular"
          sx={{ py: 0.375, px: 1.25, textTransform: 'none', fontSize: '0.8125rem' }}
        >
          {title}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  )
}
