import type { LiveSession } from '@/api/types'
import type { SessionFilter } from './view'

/**
 * Whether a session that has just come belongs to a list, as far as the page can tell by itself. What only the service knows (full names,
 * e-mail addresses, IPv6 networks) comes when the list is loaded again.
 */
export function matcher(filter: SessionFilter): (session: LiveSession) => boolean {
  const { search, ip, user_id, status, server_instance, from_date, to_date } = filter
  const name = search?.toLowerCase()
  const from = from_date && Date.parse(from_date)
  const to = to_date && Date.parse(to_date)
  const holds = ip ? holder(ip) : undefined
  return (session) => {
    const at = Date.parse(session.connected_at)
    return (
      (!name || session.common_name.toLowerCase().includes(name)) &&
      (!holds || [session.real_ip, session.virtual_ip, session.virtual_ip6].some((address) => address && holds(address))) &&
      (!user_id || session.vpn_user_id === user_id) &&
      (!status || status.includes(session.session_status)) &&
      (!server_instance || server_instance.includes(session.server_instance)) &&
      (!from || at >= from) &&
      (!to || at <= to)
    )
  }
}

/** By an address, or a network of IPv4. */
function holder(ip: string): (address: string) => boolean {
  const [network = '', length] = ip.toLowerCase().split('/')
  const wanted = bits(network)
  if (length === undefined || wanted === undefined) return (address) => address === ip.toLowerCase()
  const size = 2 ** (32 - Number(length))
  return (address) => Math.floor((bits(address) ?? -1) / size) === Math.floor(wanted / size)
}

function bits(address: string): number | undefined {
  if (!address.includes('.') || address.includes(':')) return undefined
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
