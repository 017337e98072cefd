import { QueryClient } from '@tanstack/react-query'
import { isTransient } from './problem'

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        gcTime: 10 * 60_000,
        retry: (failures, error) => failures < 2 && isTransient(error),
        retryDelay: (attempt) => 500 * 2 ** attempt + Math.random() * 500,
        // The page says that it is offline and shows the last state with its age; nothing is paused in silence.
        networkMode: 'always',
        refetchOnReconnect: true,
        // What failed only because a service was away comes by itself once it is back.
        refetchInterval: ({ state }) => (state.status === 'error' && isTransient(state.error) ? 5000 : false),
      },
      mutations: { networkMode: 'always' },
    },
  })
}
