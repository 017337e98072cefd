import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import { useParams } from 'react-router'
import { serverQuery } from '@/api/servers'
import type { ServerDetail } from '@/api/types'
import { Problem } from '@/api/problem'
import { usePermission } from '@/auth/useAuth'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { ErrorState } from '@/components/states/ErrorState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ServerStatusChip } from '@/components/StatusChip'
import { gapsText, troubleText } from '@/format/server'
import { ActiveSessions } from './ActiveSessions'
import { Boots } from './Boots'
import { Gaps } from './Gaps'
import { Health } from './Health'
import { ServerActions } from './ServerActions'
import { ServerFacts } from './ServerFacts'
import { ServerKeys } from './ServerKeys'

const crumbs = [{ label: 'Servers', to: '/servers' }]

/** One VPN server: how it is, how it was, and what of its history is missing. */
export function ServerPage() {
  const id = Number(useParams().id)
  if (!Number.isSafeInteger(id)) return <NoSuchServer />
  return <KnownServer id={id} />
}

function NoSuchServer() {
  return (
    <Page title="VPN server" crumbs={crumbs}>
      <Panel>
        <ErrorState error={new Problem(404, { detail: 'There is no VPN server with this id.', error: 'not_found' })} />
      </Panel>
    </Page>
  )
}

function KnownServer({ id }: { id: number }) {
  const query = useQuery(serverQuery(id))
  const isAdmin = usePermission('administer')
  const server = query.data
  const heading = server && (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1.25, flexWrap: 'wrap' }}>
      {server.name}
      <ServerStatusChip status={server.status} />
    </Box>
  )
  return (
    <Page
      title={server?.name ?? 'VPN server'}
      heading={heading}
      subtitle={server?.description || undefined}
      crumbs={crumbs}
      actions={isAdmin && server && <ServerActions server={server} />}
    >
      <QueryState query={query} what="the VPN server" loading={<Loading />}>
        {(server) => <Content server={server} />}
      </QueryState>
    </Page>
  )
}

function Content({ server }: { server: ServerDetail }) {
  const isAdmin = usePermission('administer')
  return (
    <>
      <Troubles server={server} />
      <Panel title="Now">
        <ServerFacts server={server} />
      </Panel>
      <Health server={server} />
      <ActiveSessions server={server} />
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        }}
      >
        <Gaps server={server} />
        <Boots server={server} />
      </Box>
      {isAdmin && <ServerKeys server={server} />}
    </>
  )
}

function Troubles({ server }: { server: ServerDetail }) {
  if (server.retired_at) return <Alert severity="info">This VPN server is retired: its agent is refused, its history stays.</Alert>
  if (server.status === 'silent')
    return (
      <Alert severity="error">
        Nothing has been heard from this VPN server for a while. What happened since is unknown; active sessions are as they were last
        reported.
      </Alert>
    )
  if (server.troubles.length === 0) return null
  return (
    <Alert severity="warning">
      {server.troubles
        .map((trouble) =>
          trouble === 'missing_events' ? `events are missing (${gapsText(server.gaps)}, listed below)` : troubleText(trouble),
        )
        .join(', ')
        .replace(/^./, (first) => first.toUpperCase())}
      .
    </Alert>
  )
}

function Loading() {
  return (
    <>
      <LoadingBlock height={180} />
      <LoadingBlock height={260} />
    </>
  )
}
