import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useParams } from 'react-router'
import { Problem } from '@/api/problem'
import type { VpnUserDetail } from '@/api/types'
import { usePermission } from '@/auth/useAuth'
import { Facts } from '@/components/Facts'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { ErrorState } from '@/components/states/ErrorState'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { ToneChip } from '@/components/StatusChip'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { formatBytes, formatCount, unknown } from '@/format/number'
import { Activity } from './Activity'
import { CertificateChip } from './CertificateChip'
import { Denied } from './Denied'
import { EditDialog } from './EditDialog'
import { vpnUserQuery } from './queries'
import { RecentSessions } from './RecentSessions'
import { Certificates, Routes, StaticAddresses } from './ServerConfiguration'

const crumbs = [{ label: 'VPN users', to: '/vpn-users' }]

/** One VPN user: who it is, what its certificate allows, what it did. */
export function VpnUserPage() {
  const id = Number(useParams().id)
  if (!Number.isSafeInteger(id)) {
    return (
      <Page title="VPN user" crumbs={crumbs}>
        <Panel>
          <ErrorState error={new Problem(404, { detail: 'There is no VPN user with this id.', error: 'not_found' })} />
        </Panel>
      </Page>
    )
  }
  return <KnownUser id={id} />
}

function KnownUser({ id }: { id: number }) {
  const query = useQuery(vpnUserQuery(id))
  const user = query.data
  const mayEdit = usePermission('editVpnUsers')
  const [editing, setEditing] = useState(false)
  const heading = user && (
    <Box component="span" sx={{ display: 'inline-flex', alignItems: 'center', gap: 1.25, flexWrap: 'wrap' }}>
      {user.common_name}
      <ToneChip tone={user.vpn_status === 'active' ? 'good' : 'neutral'} label={user.vpn_status} dot={user.vpn_status === 'active'} />
    </Box>
  )
  return (
    <Page
      title={user?.common_name ?? 'VPN user'}
      heading={heading}
      subtitle={user?.full_name ?? undefined}
      crumbs={crumbs}
      actions={
        mayEdit &&
        user && (
          <Button variant="outlined" onClick={() => setEditing(true)}>
            Edit
          </Button>
        )
      }
    >
      <QueryState query={query} what="the VPN user" loading={<LoadingBlock height={420} />}>
        {(user) => <Content user={user} />}
      </QueryState>
      {editing && user && <EditDialog user={user} onClose={() => setEditing(false)} />}
    </Page>
  )
}

function Content({ user }: { user: VpnUserDetail }) {
  return (
    <>
      <CertificateWarning user={user} />
      <Denied userId={user.id} />
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        }}
      >
        <Panel title="Person">
          <Facts
            facts={[
              { label: 'Full name', value: user.full_name ?? unknown },
              { label: 'E-mail', value: user.email ?? unknown },
              { label: 'Contact number', value: user.contact_no ?? unknown },
              { label: 'Type', value: user.user_type ?? unknown },
              { label: 'Business status', value: user.business_status ?? unknown },
              { label: 'Edited', value: user.updated_at === user.created_at ? 'never' : <Time at={user.updated_at} /> },
            ]}
          />
        </Panel>
        <Panel title="VPN">
          <Facts
            facts={[
              {
                label: 'Active sessions',
                value: <TextLink to={`/sessions?user_id=${user.id}&status=active`}>{formatCount(user.active_sessions)}</TextLink>,
              },
              { label: 'All sessions', value: <TextLink to={`/sessions?user_id=${user.id}`}>{formatCount(user.total_sessions)}</TextLink> },
              { label: 'Last seen', value: <Time at={user.last_vpn_seen_at} /> },
              { label: 'First heard of', value: <Time at={user.created_at} /> },
              { label: 'Certificate', value: <CertificateChip user={user} /> },
              { label: 'Certificate expires', value: <Time at={user.cert_expiry_at} /> },
              { label: 'From client, 30 days', value: formatBytes(user.traffic_30_days.bytes_in) },
              { label: 'To client, 30 days', value: formatBytes(user.traffic_30_days.bytes_out) },
            ]}
          />
        </Panel>
      </Box>
      <Activity user={user} />
      <RecentSessions user={user} />
      <Box
        sx={{
          display: 'grid',
          gap: 2,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        }}
      >
        <StaticAddresses user={user} />
        <Routes user={user} />
      </Box>
      <Certificates user={user} />
    </>
  )
}

const warnMs = 30 * 86_400_000

function CertificateWarning({ user }: { user: VpnUserDetail }) {
  // When the page was opened is exact enough for days.
  const [openedAt] = useState(() => Date.now())
  if (user.revoked_at) {
    return (
      <Alert severity="error">
        The certificate was revoked at <Time at={user.revoked_at} />.
      </Alert>
    )
  }
  const left = user.cert_expiry_at ? Date.parse(user.cert_expiry_at) - openedAt : undefined
  if (left === undefined || left > warnMs) return null
  return (
    <Alert severity={left < 0 ? 'error' : 'warning'}>
      The certificate {left < 0 ? 'expired' : 'expires'} <Time at={user.cert_expiry_at} relative="only" />.
    </Alert>
  )
}
