import Box from '@mui/material/Box'
import IconButton from '@mui/material/IconButton'
import Tooltip from '@mui/material/Tooltip'
import { ChartColumn, Table2 } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { seriesColour } from './scale'

export interface ChartTable {
  head: string[]
  rows: string[][]
}

interface ChartFrameProps {
  label: string
  series: string[]
  /** The same figures as text. */
  table: ChartTable
  height: number
  children: ReactNode
}

/** A legend, the chart, and a button that shows the same as a table: for screen readers, and for copying. */
export function ChartFrame({ label, series, table, height, children }: ChartFrameProps) {
  const [asTable, setAsTable] = useState(false)
  return (
    <Box component="figure" aria-label={label} sx={{ m: 0, minWidth: 0 }}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 1.5, minHeight: 26, fontSize: '0.75rem', color: 'text.secondary' }}>
        {series.map((name, index) => (
          <LegendEntry key={name} name={name} index={index} />
        ))}
        <Box sx={{ flex: 1 }} />
        <Tooltip title={asTable ? 'Show as a chart' : 'Show as a table'}>
          <IconButton
            aria-label={asTable ? `${label}: show as a chart` : `${label}: show as a table`}
            aria-pressed={asTable}
            onClick={() => setAsTable(!asTable)}
            sx={{ p: 0.5 }}
          >
            {asTable ? <ChartColumn size={14} aria-hidden /> : <Table2 size={14} aria-hidden />}
          </IconButton>
        </Tooltip>
      </Box>
      <Box
        sx={{ position: 'relative', height, overflow: asTable ? 'auto' : 'visible' }}
        {...(asTable && { tabIndex: 0, role: 'region', 'aria-label': `${label}, table` })}
      >
        {asTable ? <FiguresTable label={label} table={table} /> : <div aria-hidden>{children}</div>}
      </Box>
    </Box>
  )
}

function LegendEntry({ name, index }: { name: string; index: number }) {
  return (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 0.75 }}>
      <Box component="span" sx={{ width: 9, height: 9, borderRadius: '2px', bgcolor: seriesColour(index) }} />
      {name}
    </Box>
  )
}

function FiguresTable({ label, table }: { label: string; table: ChartTable }) {
  return (
    <Box
      component="table"
      className="tabular"
      sx={{
        width: '100%',
        fontSize: '0.75rem',
        borderCollapse: 'collapse',
        '& td, & th': { px: 1, py: 0.375, textAlign: 'right', borderBottom: '1px solid', borderColor: 'ovt.line' },
        '& :is(td, th):first-of-type': { textAlign: 'left' },
      }}
    >
      <caption className="visually-hidden">{label}</caption>
      <thead>
        <tr>
          {table.head.map((name, index) => (
            <Box component="th" key={name || index} scope="col" sx={{ fontWeight: 560, color: 'text.secondary' }}>
              {name || <span className="visually-hidden">When</span>}
            </Box>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map((row, index) => (
          <tr key={`${row[0]}-${index}`}>
            {row.map((cell, column) => (
              <td key={column}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </Box>
  )
}
