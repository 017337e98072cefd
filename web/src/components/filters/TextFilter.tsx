import InputAdornment from '@mui/material/InputAdornment'
import TextField from '@mui/material/TextField'
import { Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'

interface TextFilterProps {
  label: string
  value: string
  onChange: (value: string) => void
  placeholder?: string
  width?: number
  error?: string | undefined
}

/** Text that filters once typing has paused, or at once on Enter. */
export function TextFilter({ label, value, onChange, placeholder, width = 190, error }: TextFilterProps) {
  const [typed, setTyped] = useState(value)
  const [known, setKnown] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  if (known !== value) {
    setKnown(value)
    setTyped(value)
  }
  useEffect(() => () => clearTimeout(timer.current), [])
  const tellLater = (text: string) => {
    setTyped(text)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onChange(text.trim()), 350)
  }
  const tellNow = () => {
    clearTimeout(timer.current)
    if (typed.trim() !== value) onChange(typed.trim())
  }
  return (
    <TextField
      type="search"
      label={label}
      value={typed}
      placeholder={placeholder}
      error={Boolean(error)}
      helperText={error}
      onChange={(event) => tellLater(event.target.value)}
      onBlur={tellNow}
      onKeyDown={(event) => event.key === 'Enter' && tellNow()}
      sx={{ width: { xs: '100%', sm: width } }}
      slotProps={{
        input: {
          startAdornment: (
            <InputAdornment position="start">
              <Search size={15} aria-hidden />
            </InputAdornment>
          ),
        },
      }}
    />
  )
}
