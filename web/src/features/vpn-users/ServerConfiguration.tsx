import type { VpnUserDetail } from '@/api/types'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { SmallTable, type SmallColumn } from '@/components/SmallTable'
import { EmptyState } from '@/components/states/EmptyState'
import { Time } from '@/components/Time'
import { unknown } from '@/format/number'

type Ccd = VpnUserDetail['ccds'][number]
type Route = VpnUserDetail['routes'][number]

const addressColumns: SmallColumn<Ccd>[] = [
  { head: 'VPN server', cell: (ccd) => ccd.server_instance },
  { head: 'Static address', cell: (ccd) => <Mono text={ccd.ifconfig_ip} /> },
  { head: 'Netmask', cell: (ccd) => <Mono text={ccd.ifconfig_netmask} /> },
  { head: 'As of', cell: (ccd) => <Time at={ccd.updated_at} relative="only" /> },
]

const routeColumns: SmallColumn<Route>[] = [
  { head: 'VPN server', cell: (route) => route.server_instance },
  { head: 'Kind', cell: (route) => route.route_type },
  { head: 'Network', cell: (route) => <Mono text={route.network} /> },
  { head: 'Netmask', cell: (route) => <Mono text={route.netmask} /> },
  { head: 'Gateway', cell: (route) => <Mono text={route.gateway} /> },
  { head: 'Comment', cell: (route) => route.comment ?? unknown },
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
          rowKey={(route) => `${route.server_instance}-${route.route_type}-${route.network}-${route.netmask}`}
        />
      )}
    </Panel>
  )
}
