import { screen, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it, vi } from 'vitest'
import { Problem, Unreachable } from '@/api/problem'
import { renderPage } from '@/testing/render'
import { BarChart } from './charts/BarChart'
import { niceCeiling } from './charts/scale'
import { chosenColumns, parseSort, visibleColumns, writeSort, type Column } from './data-grid/columns'
import { Pager } from './data-grid/Pager'
import { TextFilter } from './filters/TextFilter'
import { passwordProblem, passwordStrength } from './passwordRules'
import { ErrorState } from './states/ErrorState'

const columns: Column<unknown>[] = [
  { id: 'name', headerName: 'Name', fixed: true },
  { id: 'status', headerName: 'Status' },
  { id: 'cipher', headerName: 'Cipher', optional: true },
]

describe('columns', () => {
  it('are the usual ones until others are chosen; a fixed one always stays', () => {
    expect(visibleColumns(columns, [])).toEqual(['name', 'status'])
    expect(visibleColumns(columns, ['cipher'])).toEqual(['name', 'cipher'])
  })

  it('leave the URL when the choice is the usual one', () => {
    expect(chosenColumns(columns, ['name', 'status'])).toEqual([])
    expect(chosenColumns(columns, ['cipher', 'name'])).toEqual(['name', 'cipher'])
  })

  it('are sorted as the API writes it', () => {
    expect(parseSort('-connected_at')).toEqual({ id: 'connected_at', descending: true })
    expect(writeSort(parseSort('common_name'))).toBe('common_name')
    expect(writeSort(undefined)).toBe('')
  })
})

describe('the pager', () => {
  const pager = (page: number, total: number, total_is_estimate = false) =>
    renderPage(
      <Pager
        info={{ total, pages: Math.ceil(total / 50), total_is_estimate }}
        page={page}
        perPage={50}
        shown={50}
        noun="sessions"
        onPage={() => undefined}
        onPerPage={() => undefined}
      />,
    )

  it('says where one is and how many there are', () => {
    pager(2, 1234)
    expect(screen.getByText('51–100 of 1,234 sessions')).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Last page' })).toBeEnabled()
  })

  it('calls an estimate an estimate, and always offers what may follow', () => {
    pager(200, 10_000, true)
    expect(screen.getByText('9,951–10,000 of about 10,000 sessions')).toBeInTheDocument()
    expect(screen.getByRole('button', { name: 'Next page' })).toBeEnabled()
  })
})

describe('an error', () => {
  it('names the request, so that the logs can be asked', async () => {
    const retry = vi.fn()
    renderPage(
      <ErrorState error={new Problem(503, { detail: 'The database is away.', request_id: 'abc-1' })} what="the sessions" onRetry={retry} />,
    )
    const alert = screen.getByRole('alert')
    expect(within(alert).getByText('Could not load the sessions')).toBeInTheDocument()
    expect(within(alert).getByText('abc-1')).toBeInTheDocument()
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(retry).toHaveBeenCalledOnce()
  })

  it('tells a missing network from a refusal', () => {
    renderPage(<ErrorState error={new Unreachable()} />)
    expect(screen.getByText('The server cannot be reached')).toBeInTheDocument()
  })
})

describe('a chart', () => {
  const bars = [
    { key: 'a', label: 'Mon', title: 'Monday', values: [10, 30] },
    { key: 'b', label: 'Tue', title: 'Tuesday', values: [0, 7] },
  ]

  it('can be read as a table', async () => {
    renderPage(<BarChart label="Data by day" series={['In', 'Out']} bars={bars} format={(value) => `${value} B`} />)
    await userEvent.click(screen.getByRole('button', { name: 'Data by day: show as a table' }))
    const table = screen.getByRole('table', { name: 'Data by day' })
    expect(within(table).getByRole('row', { name: 'Monday 10 B 30 B' })).toBeInTheDocument()
  })

  it('ends its axis at a round figure', () => {
    expect([0, 7, 41, 120, 5_100_000].map(niceCeiling)).toEqual([1, 8, 50, 200, 8_000_000])
  })
})

describe('a text filter', () => {
  it('asks at once on Enter, and follows the URL when that changes', async () => {
    const change = vi.fn()
    const { rerender } = renderPage(<TextFilter label="Name" value="" onChange={change} />)
    await userEvent.type(screen.getByLabelText('Name'), ' jdoe {Enter}')
    expect(change).toHaveBeenCalledWith('jdoe')
    expect(rerender).toBeDefined()
  })
})

describe('a password', () => {
  it('is told what it lacks', () => {
    expect(passwordProblem('short')).toBe('It needs at least 8 characters, an upper-case letter, a digit, a special character')
    expect(passwordProblem('Long-enough-1')).toBeUndefined()
  })

  it('is strong when it is long and varied', () => {
    expect(['', 'abc', 'Abcdef-1', 'Abcdefgh-123', 'Correct-Horse-42-Battery'].map(passwordStrength)).toEqual([0, 1, 2, 3, 4])
  })
})
