import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import type { PortalSession } from '@/api/types'
import { logoutEverywhere } from '@/auth/session'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { Time } from '@/components/Time'
import { tell } from '@/components/Toasts'
import { unknown } from '@/format/number'
import { browserName } from './browserName'
import { portalSessionsQuery } from './queries'

const columns: SmallColumn<PortalSession>[] = [
  { head: 'Browser', cell: (session) => <span title={session.user_agent ?? undefined}>{browserName(session.user_agent)}</span> },
  { head: 'Address', cell: (session) => <span className="mono">{session.ip_address ?? unknown}</span> },
  { head: 'Last used', cell: (session) => <Time at={session.last_used_at} relative="only" /> },
  { head: 'Since', cell: (session) => <Time at={session.created_at} relative="none" precision="minutes" /> },
  { head: '', cell: (session) => (session.is_current ? <ToneChip tone="good" label="here" /> : <SignOutThere session={session} />) },
]

/** Where one is signed in, with a way to end each, or all. */
export function PortalSessions() {
  const query = useQuery(portalSessionsQuery)
  const [leaving, setLeaving] = useState(false)
  return (
    <Panel
      flush
      title="Where you are signed in"
      actions={
        <Button color="error" onClick={() => setLeaving(true)}>
          Sign out everywhere
        </Button>
      }
    >
      <QueryState query={query} what="your sessions" loading={<LoadingLines lines={3} />}>
        {({ sessions }) => (
          <SmallTable label="Where you are signed in" columns={columns} rows={sessions} rowKey={(session) => session.id} maxHeight={300} />
        )}
      </QueryState>
      {leaving && <SignOutEverywhere onClose={() => setLeaving(false)} />}
    </Panel>
  )
}

/** Afterwards this page is gone too: nobody is signed in any more. */
function SignOutEverywhere({ onClose }: { onClose: () => void }) {
  const leave = useMutation({ mutationFn: logoutEverywhere })
  return (
    <ConfirmDialog
      open
      title="Sign out everywhere"
      confirm="Sign out everywhere"
      danger
      busy={leave.isPending}
      error={leave.error}
      onConfirm={() => leave.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        Every browser and program that is signed in as you is signed out within a second, this one too.
      </Typography>
    </ConfirmDialog>
  )
}

function SignOutThere({ session }: { session: PortalSession }) {
  const queryClient = useQueryClient()
  const end = useMutation({
    mutationFn: () => answer(api.DELETE('/api/profile/sessions/{id}', { params: { path: { id: session.id } } })),
    onSuccess: () => {
      tell('Signed out there')
      return queryClient.invalidateQueries({ queryKey: portalSessionsQuery.queryKey })
    },
    onError: (error) => tell(error.message, 'error'),
  })
  return (
    <Button
      color="secondary"
      loading={end.isPending}
      onClick={() => end.mutate()}
      aria-label={`Sign out ${browserName(session.user_agent)} at ${session.ip_address ?? 'an unknown address'}`}
    >
      Sign out
    </Button>
  )
}
