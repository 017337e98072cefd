import Box from '@mui/material/Box'
import IconButton from '@mui/material/IconButton'
import MenuItem from '@mui/material/MenuItem'
import Select from '@mui/material/Select'
import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight } from 'lucide-react'
import type { PageInfo } from '@/api/types'
import { formatCount } from '@/format/number'

interface PagerProps {
  info: Pick<PageInfo, 'total' | 'pages'> & { total_is_estimate?: boolean }
  page: number
  perPage: number
  /** Rows on this page. */
  shown: number
  onPage: (page: number) => void
  onPerPage: (perPage: number) => void
  /** What is counted: "sessions". */
  noun: string
}

export const perPageChoices = [50, 100, 200]

/** "1–50 of 1,234 sessions", and the way to the other pages. */
export function Pager({ info, page, perPage, shown, onPage, onPerPage, noun }: PagerProps) {
  const first = (page - 1) * perPage + 1
  const total = `${info.total_is_estimate ? 'about ' : ''}${formatCount(info.total)} ${noun}`
  const hasNext = page < info.pages || (info.total_is_estimate && shown === perPage)
  const steps = [
    { label: 'First page', icon: ChevronFirst, to: 1, enabled: page > 1 },
    { label: 'Previous page', icon: ChevronLeft, to: page - 1, enabled: page > 1 },
    { label: 'Next page', icon: ChevronRight, to: page + 1, enabled: hasNext },
    { label: 'Last page', icon: ChevronLast, to: info.pages, enabled: page < info.pages },
  ]
  return (
    <Box
      component="nav"
      aria-label="Pages"
      sx={{
        display: 'flex',
        flexWrap: 'wrap',
        alignItems: 'center',
        gap: 1,
        px: 1.5,
        py: 0.5,
        borderTop: '1px solid',
        borderColor: 'divider',
        minHeight: 40,
      }}
    >
      <Box className="tabular" aria-live="polite" sx={{ flex: '1 1 auto', fontSize: '0.8125rem', color: 'text.secondary' }}>
        {shown > 0 ? `${formatCount(first)}–${formatCount(first + shown - 1)} of ${total}` : total}
      </Box>
      <Select
        variant="standard"
        disableUnderline
        value={perPage}
        onChange={(event) => onPerPage(event.target.value)}
        inputProps={{ 'aria-label': 'Rows on a page' }}
        sx={{ fontSize: '0.8125rem' }}
      >
        {perPageChoices.map((choice) => (
          <MenuItem key={choice} value={choice}>
            {choice} a page
          </MenuItem>
        ))}
      </Select>
      <Box>
        {steps.map(({ label, icon: Icon, to, enabled }) => (
          <IconButton key={label} aria-label={label} disabled={!enabled} onClick={() => onPage(to)}>
            <Icon size={17} aria-hidden />
          </IconButton>
        ))}
      </Box>
    </Box>
  )
}
