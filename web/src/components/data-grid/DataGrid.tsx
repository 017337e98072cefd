import Box from '@mui/material/Box'
import type {
  CellKeyDownEvent,
  ColDef,
  GridApi,
  GridReadyEvent,
  RowClickedEvent,
  SelectionChangedEvent,
  SortChangedEvent,
} from 'ag-grid-community'
import { AgGridReact } from 'ag-grid-react'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { usePreferences } from '@/preferences/preferences'
import { parseSort, storedWidths, storeWidth, visibleColumns, writeSort, type Column } from './columns'
import { gridTheme } from './modules'

interface DataGridProps<Row> {
  /** Names the stored widths. */
  id: string
  /** For screen readers: what is listed. */
  label: string
  columns: Column<Row>[]
  rows: Row[]
  rowId: (row: Row) => string
  /** From the URL: visible columns (`[]`: the default ones) and the order. */
  visible?: string[]
  sort?: string
  onSort?: (sort: string) => void
  /** A click on a row, or Enter in one. Give the first column a real link too. */
  onOpen?: (row: Row) => void
  selected?: string[]
  onSelect?: (ids: string[]) => void
  isSelectable?: (row: Row) => boolean
  /** CSS height; `content`: as high as its rows, for short lists. Without it the grid takes what its panel leaves. */
  height?: string
  empty: ReactNode
  /** Newer rows are on their way; the shown ones stay, a little fainter. */
  isRefreshing?: boolean
}

/** A grid of one page of rows. Order and paging are the server's: the grid shows and asks, it never rearranges by itself. */
export function DataGrid<Row>(props: DataGridProps<Row>) {
  const { id, label, columns, rows, rowId, visible = [], sort = '', onSort, onOpen, selected, onSelect, empty } = props
  const { density } = usePreferences()
  const [api, setApi] = useState<GridApi<Row>>()
  const container = useRef<HTMLDivElement>(null)
  const definitions = useMemo(() => columns.map((column) => definitionOf(column, storedWidths(id))), [columns, id])

  useColumnState(api, columns, visible, sort)
  useSelectionFromOutside(api, selected, rows)
  useGridLabel(container, label, rows.length)

  const rowHeight = density === 'compact' ? 30 : 38
  const { height } = props
  return (
    <Box
      ref={container}
      sx={{
        position: 'relative',
        ...(height === undefined ? { flex: '1 1 0', minHeight: 320 } : { height: height === 'content' ? 'auto' : height }),
        opacity: props.isRefreshing ? 0.65 : 1,
        transition: 'opacity 150ms',
        '& .ag-center-cols-viewport': { minHeight: '0 !important' },
        '& .ag-row': { cursor: onOpen ? 'pointer' : 'default' },
      }}
    >
      <AgGridReact<Row>
        theme={gridTheme}
        columnDefs={definitions}
        rowData={rows}
        getRowId={({ data }) => rowId(data)}
        rowHeight={rowHeight}
        headerHeight={rowHeight}
        domLayout={height === 'content' ? 'autoHeight' : 'normal'}
        multiSortKey="ctrl"
        alwaysMultiSort={false}
        suppressMultiSort
        suppressCellFocus={false}
        suppressDragLeaveHidesColumns
        suppressMovableColumns
        enableCellTextSelection
        animateRows={false}
        rowBuffer={4}
        tooltipShowDelay={400}
        suppressNoRowsOverlay
        rowSelection={
          onSelect
            ? {
                mode: 'multiRow',
                checkboxes: true,
                headerCheckbox: true,
                enableClickSelection: false,
                isRowSelectable: ({ data }) => (data && props.isSelectable ? props.isSelectable(data) : true),
              }
            : undefined
        }
        onGridReady={(event: GridReadyEvent<Row>) => setApi(event.api)}
        onGridPreDestroyed={() => setApi(undefined)}
        onSortChanged={(event: SortChangedEvent<Row>) => tellSort(event, onSort)}
        onColumnResized={({ column, finished, source }) => {
          if (finished && column && source === 'uiColumnResized') storeWidth(id, column.getColId(), column.getActualWidth())
        }}
        onRowClicked={(event: RowClickedEvent<Row>) => {
          if (event.data && !isInteractive(event.event)) onOpen?.(event.data)
        }}
        onCellKeyDown={(event) => {
          const { event: key, data } = event as CellKeyDownEvent<Row>
          if (data && key instanceof KeyboardEvent && key.key === 'Enter') onOpen?.(data)
        }}
        onSelectionChanged={(event: SelectionChangedEvent<Row>) => {
          if (event.source !== 'api') onSelect?.(event.api.getSelectedRows().map(rowId))
        }}
      />
      {rows.length === 0 && (
        <Box
          sx={{
            position: height === 'content' ? 'static' : 'absolute',
            inset: `${rowHeight}px 0 0 0`,
            display: 'grid',
            placeItems: 'center',
            bgcolor: 'background.paper',
          }}
        >
          {empty}
        </Box>
      )}
    </Box>
  )
}

function definitionOf<Row>(column: Column<Row>, widths: Record<string, number>): ColDef<Row> {
  const { id, compare, optional: _optional, fixed: _fixed, numeric, sortable = false, ...rest } = column
  const width = widths[id]
  return {
    resizable: true,
    minWidth: 70,
    ...rest,
    ...(width && { width, flex: undefined }),
    colId: id,
    sortable,
    sortingOrder: ['asc', 'desc'],
    // The rows come in the order that was asked for.
    comparator: (_a, _b, first, second) => (compare && first.data && second.data ? compare(first.data, second.data) : 0),
    ...(numeric && { cellClass: 'tabular', cellStyle: { textAlign: 'right' }, headerClass: 'ag-right-aligned-header' }),
  }
}

function useColumnState<Row>(api: GridApi<Row> | undefined, columns: Column<Row>[], visible: string[], sort: string): void {
  const visibleKey = visible.join(',')
  useEffect(() => {
    const shown = visibleColumns(columns, visibleKey ? visibleKey.split(',') : [])
    const order = parseSort(sort)
    api?.applyColumnState({
      state: columns.map(({ id }) => ({
        colId: id,
        hide: !shown.includes(id),
        sort: order?.id === id ? (order.descending ? ('desc' as const) : ('asc' as const)) : null,
      })),
    })
  }, [api, columns, visibleKey, sort])
}

function useSelectionFromOutside<Row>(api: GridApi<Row> | undefined, selected: string[] | undefined, rows: Row[]): void {
  useEffect(() => {
    if (!api || !selected) return
    api.forEachNode((node) => {
      const wanted = selected.includes(node.id ?? '')
      if ((node.isSelected() ?? false) !== wanted) node.setSelected(wanted)
    })
  }, [api, selected, rows])
}

/** The grid offers no option for its accessible name. */
function useGridLabel(container: React.RefObject<HTMLDivElement | null>, label: string, rows: number): void {
  useEffect(() => {
    const name = () => container.current?.querySelector('[role="grid"], [role="treegrid"]')?.setAttribute('aria-label', label)
    name()
    const frame = requestAnimationFrame(name)
    return () => cancelAnimationFrame(frame)
  }, [container, label, rows])
}

function tellSort<Row>({ api, source }: SortChangedEvent<Row>, onSort?: (sort: string) => void): void {
  if (source === 'api') return
  const sorted = api.getColumnState().find((column) => column.sort)
  onSort?.(writeSort(sorted && { id: sorted.colId, descending: sorted.sort === 'desc' }))
}

/** Links, buttons and checkboxes inside a row have a meaning of their own; so has selecting text. */
function isInteractive(event: Event | null | undefined): boolean {
  const target = event?.target
  if (target instanceof Element && target.closest('a, button, input, .ag-selection-checkbox')) return true
  return (getSelection()?.toString().length ?? 0) > 0
}
