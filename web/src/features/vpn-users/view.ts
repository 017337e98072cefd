import type { BusinessStatus, UserType, VpnStatus } from '@/api/types'
import { integer, list, optionalOneOf, someOf, text, type ViewOf } from '@/view-state/url'

export const userTypes = ['internal', 'external', 'contractor', 'guest'] as const satisfies readonly UserType[]
export const businessStatuses = ['active', 'suspended', 'terminated'] as const satisfies readonly BusinessStatus[]
export const vpnStatuses = ['active', 'inactive'] as const satisfies readonly VpnStatus[]
export const lastSeen = ['24h', '7d', '30d', 'never'] as const
export const expiries = ['0', '30', '90'] as const

export const vpnUsersView = {
  search: text(),
  vpn_status: optionalOneOf(vpnStatuses),
  user_type: someOf(userTypes),
  business_status: someOf(businessStatuses),
  last_seen: optionalOneOf(lastSeen),
  cert_expires_within_days: optionalOneOf(expiries),
  sort: text('common_name'),
  page: integer(1),
  per_page: integer(50),
  columns: list(),
}

export type VpnUsersView = ViewOf<typeof vpnUsersView>

export const noFilter: Partial<VpnUsersView> = {
  search: '',
  vpn_status: undefined,
  user_type: [],
  business_status: [],
  last_seen: undefined,
  cert_expires_within_days: undefined,
}

export function filterOf(view: VpnUsersView) {
  return {
    ...(view.search && { search: view.search }),
    ...(view.vpn_status && { vpn_status: view.vpn_status }),
    ...(view.user_type.length > 0 && { user_type: view.user_type }),
    ...(view.business_status.length > 0 && { business_status: view.business_status }),
    ...(view.last_seen && { last_seen: view.last_seen }),
    ...(view.cert_expires_within_days && { cert_expires_within_days: Number(view.cert_expires_within_days) }),
  }
}

export type VpnUserFilter = ReturnType<typeof filterOf>

export function exportPath(format: 'csv' | 'xlsx', filter: VpnUserFilter): string {
  const query = new URLSearchParams({ format })
  for (const [name, value] of Object.entries(filter)) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  return `/api/vpn-users/export?${query}`
}
