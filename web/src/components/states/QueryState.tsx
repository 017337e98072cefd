import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ErrorState } from './ErrorState'
import { StaleNote } from './StaleNote'

interface QueryStateProps<T> {
  query: UseQueryResult<T>
  /** Stands in until the first answer; as large as what follows, so that nothing jumps. */
  loading: ReactNode
  /** What is loaded: "the sessions". */
  what: string
  children: (data: T) => ReactNode
}

/** Loading, error and data of one query. Data that could not be refreshed stays, with a note of its age. */
export function QueryState<T>({ query, loading, what, children }: QueryStateProps<T>) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <StaleNote at={query.dataUpdatedAt} what={what} onRetry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    )
  }
  if (query.isError) return <ErrorState error={query.error} what={what} onRetry={() => void query.refetch()} />
  return <>{loading}</>
}
