import type { VpnUserDetail } from '@/api/types'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { ToneChip } from '@/components/StatusChip'
import { EmptyState } from '@/components/states/EmptyState'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'

type Ccd = VpnUserDetail['ccds'][number]
type Route = VpnUserDetail['routes'][number]
type Certificate = VpnUserDetail['certificates'][number]

const addressColumns: SmallColumn<Ccd>[] = [
  { head: 'VPN server', cell: (ccd) => ccd.server_instance },
  { head: 'Static address', cell: (ccd) => <Mono text={ccd.ifconfig_ip} /> },
  { head: 'Netmask', cell: (ccd) => <Mono text={ccd.ifconfig_netmask} /> },
  { head: 'Static IPv6 address', cell: (ccd) => <Mono text={ccd.ifconfig_ip6} /> },
  { head: 'May connect', cell: (ccd) => (ccd.disabled ? <ToneChip tone="bad" label="turned away" /> : 'yes') },
  { head: 'As of', cell: (ccd) => <Time at={ccd.updated_at} relative="only" /> },
]

const routeColumns: SmallColumn<Route>[] = [
  { head: 'VPN server', cell: (route) => route.server_instance },
  { head: 'Kind', cell: (route) => route.route_type },
  { head: 'Network', cell: (route) => <Mono text={route.network} /> },
  { head: 'Netmask', cell: (route) => <Mono text={route.netmask} /> },
  { head: 'Gateway', cell: (route) => <Mono text={route.gateway} /> },
  { head: 'For', cell: (route) => (route.for_all ? 'all VPN users' : 'this VPN user') },
  { head: 'Comment', cell: (route) => route.comment ?? unknown },
]

const certificateColumns: SmallColumn<Certificate>[] = [
  { head: 'VPN server', cell: (certificate) => certificate.server_instance },
  { head: 'Serial number', cell: (certificate) => <Mono text={certificate.serial} /> },
  { head: 'Expires', cell: (certificate) => <Time at={certificate.expires_at} /> },
  { head: 'Revoked', cell: (certificate) => (certificate.revoked_at ? <Time at={certificate.revoked_at} /> : 'no') },
]

/** Mirrors the VPN servers' own files, and so is only to be read here. */
export function StaticAddresses({ user }: { user: VpnUserDetail }) {
  return (
    <Panel flush title="Static addresses" note="from the VPN servers, read-only">
      {user.ccds.length === 0 ? (
        <EmptyState title="None" />
      ) : (
        <SmallTable label="Static addresses" columns={addressColumns} rows={user.ccds} rowKey={(ccd) => ccd.server_instance} />
      )}
    </Panel>
  )
}

export function Routes({ user }: { user: VpnUserDetail }) {
  return (
    <Panel flush title="Routes" note="from the VPN servers, read-only">
      {user.routes.length === 0 ? (
        <EmptyState title="None" />
      ) : (
        <SmallTable
          label="Routes"
          columns={routeColumns}
          rows={user.routes}
          rowKey={(route) =>
            `${route.server_instance}-${route.route_type}-${route.network}-${route.netmask}-${route.gateway}-${route.for_all}`
          }
        />
      )}
    </Panel>
  )
}

/** Several at once are usual while certificates are renewed. */
export function Certificates({ user }: { user: VpnUserDetail }) {
  return (
    <Panel flush title="Certificates" note="from the VPN servers, read-only">
      {user.certificates.length === 0 ? (
        <EmptyState title="None" />
      ) : (
        <SmallTable
          label="Certificates"
          columns={certificateColumns}
          rows={user.certificates}
          rowKey={(certificate) => `${certificate.server_instance}-${certificate.serial}`}
        />
      )}
    </Panel>
  )
}
