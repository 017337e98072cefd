import Box from '@mui/material/Box'
import type { ReactNode } from 'react'

export interface SmallColumn<Row> {
  head: string
  cell: (row: Row) => ReactNode
  numeric?: boolean
}

interface SmallTableProps<Row> {
  /** What is listed, for screen readers. */
  label: string
  columns: SmallColumn<Row>[]
  rows: Row[]
  rowKey: (row: Row) => string
  /** Scrolls beyond. */
  maxHeight?: number
}

/** A table of a few rows, inside a panel; long lists are for `DataGrid`. */
export function SmallTable<Row>({ label, columns, rows, rowKey, maxHeight }: SmallTableProps<Row>) {
  return (
    <Box tabIndex={0} role="region" aria-label={label} sx={{ overflow: 'auto', maxHeight }}>
      <Box
        component="table"
        sx={{
          width: '100%',
          borderCollapse: 'collapse',
          fontSize: '0.8125rem',
          '& th, & td': { textAlign: 'left', px: 2, py: 0.75, borderTop: '1px solid', borderColor: 'ovt.line', verticalAlign: 'middle' },
        }}
      >
        <caption className="visually-hidden">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ head, numeric }) => (
              <Box
                component={head ? 'th' : 'td'}
                key={head}
                {...(head && { scope: 'col' })}
                sx={{
                  position: 'sticky',
                  top: 0,
                  zIndex: 1,
                  bgcolor: 'background.paper',
                  fontSize: '0.75rem',
                  fontWeight: 560,
                  color: 'text.secondary',
                  whiteSpace: 'nowrap',
                  ...(numeric && { textAlign: 'right !important' }),
                }}
              >
                {head}
              </Box>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ head, cell, numeric }) => (
                <Box
                  component="td"
                  key={head}
                  className={numeric ? 'tabular' : undefined}
                  sx={numeric ? { textAlign: 'right !important', whiteSpace: 'nowrap' } : undefined}
                >
                  {cell(row)}
                </Box>
              ))}
            </tr>
          ))}
        </tbody>
      </Box>
    </Box>
  )
}
