import { screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderPage } from '@/testing/render'
import { resolveRange } from './range'
import { integer, list, oneOf, readView, someOf, text, useView } from './url'

const view = {
  search: text(),
  page: integer(1),
  status: someOf(['active', 'timeout']),
  order: oneOf(['up', 'down'], 'up'),
  columns: list(),
}

function Probe() {
  const [values, set] = useView(view)
  return (
    <>
      <pre data-testid="values">{JSON.stringify(values)}</pre>
      <button onClick={() => set({ search: 'jdoe' })}>search</button>
      <button onClick={() => set({ page: 3 })}>page</button>
      <button onClick={() => set({ search: '', status: [] })}>clear</button>
    </>
  )
}

describe('a view in the URL', () => {
  it('is read, and what makes no sense is the default', () => {
    const search = new URLSearchParams('search=a&page=-2&status=active&status=evil&order=sideways&columns=x&columns=y')
    expect(readView(view, search)).toEqual({ search: 'a', page: 1, status: ['active'], order: 'up', columns: ['x', 'y'] })
  })

  it('goes back to the first page when a filter changes', async () => {
    renderPage(<Probe />, { at: '/list?page=4&status=timeout&other=stays' })
    await userEvent.click(screen.getByText('search'))
    expect(screen.getByTestId('address')).toHaveTextContent('/list?status=timeout&other=stays&search=jdoe')
  })

  it('keeps its filters when the page changes, and leaves defaults out', async () => {
    renderPage(<Probe />, { at: '/list?search=jdoe' })
    await userEvent.click(screen.getByText('page'))
    expect(screen.getByTestId('address')).toHaveTextContent('/list?search=jdoe&page=3')
    await userEvent.click(screen.getByText('clear'))
    expect(screen.getByTestId('address')).toHaveTextContent('/list')
    expect(screen.getByTestId('address').textContent).toBe('/list')
  })
})

describe('a range', () => {
  const now = Date.parse('2026-02-13T12:34:56.000Z')
  const range = (preset: Parameters<typeof resolveRange>[0]['range']) =>
    resolveRange({ range: preset, from: undefined, to: undefined }, now)

  it('counts back from now, or names whole UTC days', () => {
    expect(range('all')).toEqual({})
    expect(range('1h')).toEqual({ from_date: '2026-02-13T11:34:56.000Z' })
    expect(range('today')).toEqual({ from_date: '2026-02-13T00:00:00.000Z' })
    expect(range('yesterday')).toEqual({ from_date: '2026-02-12T00:00:00.000Z', to_date: '2026-02-12T23:59:59.999Z' })
  })

  it('may be open at one end', () => {
    expect(resolveRange({ range: 'custom', from: '2026-02-01T00:00:00.000Z', to: undefined }, now)).toEqual({
      from_date: '2026-02-01T00:00:00.000Z',
    })
  })
})
