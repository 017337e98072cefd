import type { ColDef } from 'ag-grid-community'

/** A column of a list. `id` is the name that the API sorts by and that the URL uses. */
export interface Column<Row> extends Omit<ColDef<Row>, 'colId' | 'field' | 'sortable' | 'comparator' | 'hide' | 'sort'> {
  id: string
  headerName: string
  /** The API can sort by it (or, in a list that is complete on the page, the grid can: give `compare`). */
  sortable?: boolean
  compare?: (a: Row, b: Row) => number
  /** Shown only when asked for. */
  optional?: boolean
  /** Cannot be hidden. */
  fixed?: boolean
  numeric?: boolean
}

/** Which columns are shown: the URL's choice, else the default one. */
export function visibleColumns<Row>(columns: Column<Row>[], chosen: string[]): string[] {
  const isShown = (column: Column<Row>) => (chosen.length > 0 ? chosen.includes(column.id) : !column.optional)
  return columns.filter((column) => column.fixed || isShown(column)).map((column) => column.id)
}

/** What the URL keeps: nothing when the choice is the default one. */
export function chosenColumns<Row>(columns: Column<Row>[], visible: string[]): string[] {
  const usual = visibleColumns(columns, [])
  const same = usual.length === visible.length && usual.every((id) => visible.includes(id))
  return same ? [] : columns.map((column) => column.id).filter((id) => visible.includes(id))
}

export interface Sort {
  id: string
  descending: boolean
}

/** `-connected_at` as the API writes it. */
export function parseSort(sort: string): Sort | undefined {
  if (!sort) return undefined
  return sort.startsWith('-') ? { id: sort.slice(1), descending: true } : { id: sort, descending: false }
}

export function writeSort(sort: Sort | undefined): string {
  return sort ? `${sort.descending ? '-' : ''}${sort.id}` : ''
}

/** Widths that a person has set, by grid: they are theirs, not the view's, and so not in the URL. */
export function storedWidths(grid: string): Record<string, number> {
  try {
    return JSON.parse(localStorage.getItem(`ovt.widths.${grid}`) ?? '{}') as Record<string, number>
  } catch {
    return {}
  }
}

export function storeWidth(grid: string, column: string, width: number): void {
  try {
    localStorage.setItem(`ovt.widths.${grid}`, JSON.stringify({ ...storedWidths(grid), [column]: width }))
  } catch {
    // Closed storage: the width lasts until the page is left.
  }
}
