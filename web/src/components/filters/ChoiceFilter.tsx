import Checkbox from '@mui/material/Checkbox'
import FormControl from '@mui/material/FormControl'
import InputLabel from '@mui/material/InputLabel'
import ListItemText from '@mui/material/ListItemText'
import MenuItem from '@mui/material/MenuItem'
import Select from '@mui/material/Select'
import { useId } from 'react'

export interface Choice<T extends string> {
  value: T
  label: string
}

interface ChoicesFilterProps<T extends string> {
  label: string
  choices: Choice<T>[]
  value: T[]
  onChange: (value: T[]) => void
  width?: number
}

/** Any of several values; none chosen means all. */
export function ChoicesFilter<T extends string>({ label, choices, value, onChange, width = 160 }: ChoicesFilterProps<T>) {
  const id = useId()
  const labels = choices.filter((choice) => value.includes(choice.value)).map((choice) => choice.label)
  return (
    <FormControl sx={{ width: { xs: '100%', sm: width } }}>
      <InputLabel id={id} shrink>
        {label}
      </InputLabel>
      <Select<T[]>
        labelId={id}
        label={label}
        notched
        multiple
        displayEmpty
        value={value}
        onChange={(event) => onChange(typeof event.target.value === 'string' ? [] : event.target.value)}
        renderValue={() => (labels.length > 2 ? `${labels.length} chosen` : labels.join(', ') || 'Any')}
      >
        {choices.map((choice) => (
          <MenuItem key={choice.value} value={choice.value} dense>
            <Checkbox
              size="small"
              checked={value.includes(choice.value)}
              sx={{ p: 0.5, mr: 1 }}
              tabIndex={-1}
              slotProps={{ input: { 'aria-hidden': true } }}
            />
            <ListItemText>{choice.label}</ListItemText>
          </MenuItem>
        ))}
      </Select>
    </FormControl>
  )
}

interface ChoiceFilterProps<T extends string> {
  label: string
  choices: Choice<T>[]
  value: T | undefined
  onChange: (value: T | undefined) => void
  any?: string
  width?: number
}

/** One value, or any. */
export function ChoiceFilter<T extends string>({ label, choices, value, onChange, any = 'Any', width = 150 }: ChoiceFilterProps<T>) {
  const id = useId()
  return (
    <FormControl sx={{ width: { xs: '100%', sm: width } }}>
      <InputLabel id={id} shrink>
        {label}
      </InputLabel>
      <Select<string>
        labelId={id}
        label={label}
        notched
        displayEmpty
        value={value ?? ''}
        onChange={(event) => onChange(choices.find((choice) => choice.value === event.target.value)?.value)}
      >
        <MenuItem value="" dense>
          {any}
        </MenuItem>
        {choices.map((choice) => (
          <MenuItem key={choice.value} value={choice.value} dense>
            {choice.label}
          </MenuItem>
        ))}
      </Select>
    </FormControl>
  )
}
