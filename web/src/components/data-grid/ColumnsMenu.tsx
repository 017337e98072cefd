import Button from '@mui/material/Button'
import Checkbox from '@mui/material/Checkbox'
import ListItemText from '@mui/material/ListItemText'
import Menu from '@mui/material/Menu'
import MenuItem from '@mui/material/MenuItem'
import { Columns3 } from 'lucide-react'
import { useState } from 'react'
import { chosenColumns, visibleColumns, type Column } from './columns'

interface ColumnsMenuProps<Row> {
  columns: Column<Row>[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}

/** Which columns are shown. The choice belongs to the view, and so to its link. */
export function ColumnsMenu<Row>({ columns, chosen, onChange }: ColumnsMenuProps<Row>) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const visible = visibleColumns(columns, chosen)
  const toggle = (id: string) => {
    const next = visible.includes(id) ? visible.filter((one) => one !== id) : [...visible, id]
    onChange(chosenColumns(columns, next))
  }
  return (
    <>
      <Button
        variant="outlined"
        color="secondary"
        startIcon={<Columns3 size={15} aria-hidden />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
      >
        Columns
      </Button>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        slotProps={{ list: { 'aria-label': 'Shown columns', dense: true } }}
      >
        {columns.map((column) => (
          <MenuItem
            key={column.id}
            disabled={column.fixed}
            role="menuitemcheckbox"
            aria-checked={visible.includes(column.id)}
            onClick={() => toggle(column.id)}
          >
            <Checkbox
              size="small"
              edge="start"
              tabIndex={-1}
              disableRipple
              checked={visible.includes(column.id)}
              sx={{ p: 0.5, mr: 0.5 }}
              slotProps={{ input: { 'aria-hidden': true } }}
            />
            <ListItemText>{column.headerName}</ListItemText>
          </MenuItem>
        ))}
        {chosen.length > 0 && <MenuItem onClick={() => onChange([])}>Back to the default</MenuItem>}
      </Menu>
    </>
  )
}
