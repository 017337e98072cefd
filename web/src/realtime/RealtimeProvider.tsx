import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, useState, type ReactNode } from 'react'
import type { Server } from '@/api/types'
import { accessToken, anotherToken, onToken } from '@/auth/session'
import { Connection } from './connection'
import type { ServerChange } from './frames'
import { LiveContext } from './hooks'
import { LiveStore } from './store'

/** One socket for all pages, for as long as somebody is signed in. */
export function RealtimeProvider({ children }: { children: ReactNode }) {
  const [store] = useState(() => new LiveStore())
  const queryClient = useQueryClient()
  useEffect(() => connect(store), [store])
  useEffect(() => store.onServers((servers) => updateServers(queryClient, servers)), [store, queryClient])
  return <LiveContext value={store}>{children}</LiveContext>
}

function connect(store: LiveStore): () => void {
  const connection = new Connection({
    url: `${location.origin.replace(/^http/, 'ws')}/ws`,
    token: accessToken,
    anotherToken,
    onFrame: (frame) => store.frame(frame, Date.now()),
    onPhase: (phase) => store.setPhase(phase),
  })
  const network = () => {
    store.setOnline(navigator.onLine)
    if (navigator.onLine) connection.retryNow()
  }
  const looked = () => document.visibilityState === 'visible' && connection.retryNow()
  const forgetToken = onToken((token) => connection.renew(token))
  addEventListener('online', network)
  addEventListener('offline', network)
  document.addEventListener('visibilitychange', looked)
  connection.start()
  return () => {
    connection.stop()
    forgetToken()
    removeEventListener('online', network)
    removeEventListener('offline', network)
    document.removeEventListener('visibilitychange', looked)
  }
}

/** Into what pages have loaded already; a VPN server that no list knows yet makes the lists load again. */
function updateServers(queryClient: QueryClient, changes: ServerChange[]): void {
  const byId = new Map(changes.map((change) => [change.id, change]))
  const merge = <T extends Server>(server: T): T => ({ ...server, ...byId.get(server.id) })
  queryClient.setQueriesData<{ servers: Server[] }>(
    { queryKey: ['servers', 'list'] },
    (data) => data && { ...data, servers: data.servers.map(merge) },
  )
  queryClient.setQueriesData<Server>({ queryKey: ['servers', 'one'] }, (data) => data && merge(data))
}
