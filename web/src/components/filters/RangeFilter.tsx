import Box from '@mui/material/Box'
import TextField from '@mui/material/TextField'
import { fromInput, toInput } from '@/format/input'
import { zoneName } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { rangePresets, type Range, type RangePreset } from '@/view-state/range'
import { ChoiceFilter } from './ChoiceFilter'

interface RangeFilterProps {
  label: string
  value: Range
  onChange: (range: Partial<Range>) => void
  presets?: RangePreset[]
}

const usual: RangePreset[] = ['1h', '24h', 'today', 'yesterday', '7d', '30d', 'custom']

/** A preset, or two times, which are read and written in the chosen zone. */
export function RangeFilter({ label, value, onChange, presets = usual }: RangeFilterProps) {
  const clock = usePreferences()
  const choices = presets.map((preset) => ({ value: preset, label: rangePresets[preset] }))
  const zone = zoneName(clock)
  return (
    <>
      <ChoiceFilter
        label={label}
        any={rangePresets.all}
        choices={choices}
        value={value.range === 'all' ? undefined : value.range}
        onChange={(range = 'all') => onChange(range === 'custom' ? { range } : { range, from: undefined, to: undefined })}
        width={150}
      />
      {value.range === 'custom' && (
        <Box sx={{ display: 'flex', gap: 1, flexWrap: 'wrap' }}>
          {(['from', 'to'] as const).map((end) => (
            <TextField
              key={end}
              type="datetime-local"
              label={`${end === 'from' ? 'From' : 'To'} (${zone})`}
              value={toInput(value[end], clock)}
              onChange={(event) => onChange({ [end]: fromInput(event.target.value, clock) })}
              slotProps={{ inputLabel: { shrink: true }, htmlInput: { step: 1 } }}
            />
          ))}
        </Box>
      )}
    </>
  )
}
