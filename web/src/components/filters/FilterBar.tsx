import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import type { ReactNode } from 'react'

/** The filters of a list, in one row that wraps; `onClear` when any of them is set. */
export function FilterBar({ children, onClear, end }: { children: ReactNode; onClear?: () => void; end?: ReactNode }) {
  return (
    <Box
      role="search"
      aria-label="Filters"
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        gap: 1,
        px: 1.5,
        py: 1.25,
        borderBottom: '1px solid',
        borderColor: 'divider',
        // On a phone two beside each other, or nothing would be seen of the list.
        '@media (max-width: 599.95px)': { '& > .MuiFormControl-root, & > .MuiAutocomplete-root': { width: 'calc(50% - 4px)' } },
      }}
    >
      {children}
      {onClear && (
        <Button color="secondary" onClick={onClear}>
          Clear filters
        </Button>
      )}
      <Box sx={{ flex: 1 }} />
      {end}
    </Box>
  )
}
