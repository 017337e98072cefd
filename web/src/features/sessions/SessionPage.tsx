import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useParams } from 'react-router'
import { Problem } from '@/api/problem'
import type { SessionDetail } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { ExportMenu } from '@/components/ExportMenu'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { ErrorState } from '@/components/states/ErrorState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { SessionStatusChip } from '@/components/StatusChip'
import { classify } from '@/format/address'
import { useLiveRows } from '@/realtime/hooks'
import { SessionCommands } from './Commands'
import { sessionQuery } from './queries'
import { RawEvents } from './RawEvents'
import { Related } from './Related'
import { NetworkFacts, Overview } from './SessionFacts'
import { TerminateDialog } from './TerminateDialog'
import { Timeline } from './Timeline'
import { Traffic } from './Traffic'

const crumbs = [{ label: 'Sessions', to: '/sessions' }]

/** One session: what is known of it, and how. */
export function SessionPage() {
  const { id = '' } = useParams()
  if (classify(id) !== 'uuid') return <NoSuchSession />
  return <KnownSession id={id} />
}

function NoSuchSession() {
  return (
    <Page title="Session" crumbs={crumbs}>
      <Panel>
        <ErrorState error={new Problem(404, { detail: 'There is no session with this id.', error: 'not_found' })} />
      </Panel>
    </Page>
  )
}

function KnownSession({ id }: { id: string }) {
  const query = useQuery(sessionQuery(id))
  const loaded = useMemo(() => (query.data ? [query.data] : []), [query.data])
  // The socket may know it in a newer version than the last answer.
  const [newest] = useLiveRows(loaded)
  const session = query.data && newest ? { ...query.data, ...newest } : query.data
  const heading = session && (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1.25, flexWrap: 'wrap' }}>
      {session.common_name}
      <SessionStatusChip status={session.session_status} />
    </Box>
  )
  return (
    <Page
      title={session ? `Session of ${session.common_name}` : 'Session'}
      heading={heading}
      subtitle={session?.full_name ?? undefined}
      crumbs={crumbs}
      actions={session && <Actions session={session} />}
    >
      <QueryState query={query} what="the session" loading={<Loading />}>
        {(detail) => <Content session={session ?? detail} />}
      </QueryState>
    </Page>
  )
}

function Actions({ session }: { session: SessionDetail }) {
  const mayTerminate = usePermission('terminateSessions') && session.session_status === 'active'
  const [asking, setAsking] = useState(false)
  const path = `/api/sessions/${session.id}/export`
  return (
    <>
      <ExportMenu
        formats={[
          { label: 'JSON, with its events', path: `${path}?format=json`, fileName: `session-${session.id}.json` },
          { label: 'CSV', path: `${path}?format=csv`, fileName: `session-${session.id}.csv` },
        ]}
      />
      {mayTerminate && (
        <Button color="error" variant="outlined" onClick={() => setAsking(true)}>
          Terminate
        </Button>
      )}
      {asking && <TerminateDialog sessions={[session]} onClose={() => setAsking(false)} />}
    </>
  )
}

function Content({ session }: { session: SessionDetail }) {
  const missing = session.known_by.gaps.reduce((sum, gap) => sum + gap.missing_events, 0)
  return (
    <>
      {missing > 0 && (
        <Alert severity="warning">
          Events of this VPN server are missing from this session’s time ({missing} in {session.known_by.gaps.length} gaps): they could
          change what is known of it.
        </Alert>
      )}
      <SessionCommands session={session} />
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1.2fr) minmax(0, 1fr)' },
        }}
      >
        <Panel title="Overview">
          <Overview session={session} />
        </Panel>
        <Panel title="Network">
          <NetworkFacts session={session} />
        </Panel>
      </Box>
      <Traffic session={session} />
      <Timeline session={session} />
      <Related session={session} />
      <RawEvents session={session} />
    </>
  )
}

function Loading() {
  return (
    <>
      <LoadingBlock height={190} />
      <LoadingBlock height={290} />
      <LoadingBlock height={200} />
    </>
  )
}
