import { useEffect, useMemo, useRef, useState } from 'react'
import type { Session } from '@/api/types'
import { useArrivals, useLiveRows } from '@/realtime/hooks'
import { matcher } from './matches'
import type { SessionFilter } from './view'

/** How long the service's answer may be behind what the socket has told, milliseconds. */
const answerMargin = 5_000

/** Rows move at most so often, milliseconds: when many come at once, they come together. */
const betweenMoves = 1_000

/** The order in which who comes is on top. */
const newestFirst = '-connected_at'

interface LoadedPage {
  sessions: Session[]
  /** When they were loaded, milliseconds. */
  loadedAt: number
  filter: SessionFilter
  view: { sort: string; page: number; per_page: number }
  /** Another view is on its way, and these are the rows of the one before. */
  isOther: boolean
}

/**
 * The rows of a page as they are now: what the service gave, who has come since (on the first page, newest first), and everybody in the
 * newest state. While it is `held` no row comes, goes or moves; `waiting` says how many would come, and `show` lets them.
 */
export function useLivePage({ sessions, loadedAt, filter, view, isOther }: LoadedPage, held: boolean) {
  const { sort, page, per_page } = view
  const takesArrivals = sort === newestFirst && page === 1 && !isOther
  const matches = useMemo(() => (takesArrivals ? matcher(filter) : () => false), [filter, takesArrivals])
  const arrivals = useArrivals(matches, loadedAt - answerMargin)
  const wanted = useMemo(() => withArrivals(sessions, arrivals, per_page), [sessions, arrivals, per_page])
  const key = JSON.stringify([sort, page, per_page, keyOf(filter)])
  const [shown, setShown] = useState({ key, rows: wanted.rows })
  const isNewView = shown.key !== key && !isOther
  if (isNewView) setShown({ key, rows: wanted.rows })
  const movedAt = useRef(0)
  const mayMove = !held && shown.rows !== wanted.rows
  useEffect(() => {
    if (!mayMove) return
    const move = () => {
      movedAt.current = Date.now()
      setShown((before) => ({ ...before, rows: wanted.rows }))
    }
    const timer = setTimeout(move, movedAt.current + betweenMoves - Date.now())
    return () => clearTimeout(timer)
  }, [mayMove, wanted])
  const waiting = useMemo(() => {
    const there = new Set(shown.rows.map(({ id }) => id))
    return wanted.rows.filter(({ id }) => !there.has(id)).length
  }, [shown, wanted])
  return {
    rows: useLiveRows(shown.rows),
    /** How many have come since the service counted. */
    come: wanted.come,
    waiting: held && takesArrivals ? waiting : 0,
    show: () => setShown({ key, rows: wanted.rows }),
  }
}

/** Dates move on with the clock; that is no other view. */
function keyOf({ from_date: _from, to_date: _to, ...filter }: SessionFilter) {
  return filter
}

function withArrivals(sessions: Session[], arrivals: Session[], perPage: number): { rows: Session[]; come: number } {
  const known = new Set(sessions.map(({ id }) => id))
  const come = arrivals.filter(({ id }) => !known.has(id))
  if (come.length === 0) return { rows: sessions, come: 0 }
  const rows = [...come, ...sessions].toSorted((a, b) => (a.connected_at < b.connected_at ? 1 : a.connected_at > b.connected_at ? -1 : 0))
  return { rows: rows.slice(0, perPage), come: come.length }
}
