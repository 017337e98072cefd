import type { Api } from './api'

export interface PageToVisit {
  name: string
  path: string
  /** Text that stands on the page once it is complete. */
  ready: string | RegExp
  /** Drawn on a canvas, by a library that comes later. */
  charts?: number
}

interface Found {
  sessions: { id: string; virtual_ip: string | null; connected_at: string; vpn_user_id: number }[]
}

/** Every page of the portal, with things of this stack to show. */
export async function allPages(admin: Api): Promise<PageToVisit[]> {
  const { servers } = await admin.get<{ servers: { id: number; name: string }[] }>('/api/servers?search=vpn-')
  const { sessions } = await admin.get<Found>(`/api/sessions?status=active&server_instance=${servers[0]?.name ?? ''}&per_page=20`)
  const { users } = await admin.get<{ users: { id: number; username: string }[] }>('/api/portal-users?search=admin')
  const session = sessions.at(-1)
  const server = servers[0]
  if (!session || !server) throw new Error('the simulated fleet has no active session yet')
  // Something to see on its page, and among the denials.
  await admin.post('/api/sessions/terminate', { session_ids: [session.id], reason: 'to be seen', deny_seconds: 86_400 })
  const at = new Date(Date.parse(session.connected_at) + 60_000).toISOString()
  return [
    { name: 'dashboard', path: '/dashboard', ready: 'Top VPN users' },
    { name: 'sessions', path: '/sessions', ready: /of .* sessions/ },
    { name: 'session', path: `/sessions/${session.id}`, ready: 'Timeline', charts: 1 },
    { name: 'denials', path: '/denials', ready: /of .* denials/ },
    { name: 'identity', path: `/identity?ip=${session.virtual_ip ?? ''}&at=${at}`, ready: /certain|probable/ },
    { name: 'vpn-users', path: '/vpn-users', ready: /of .* VPN users/ },
    { name: 'vpn-user', path: `/vpn-users/${session.vpn_user_id}`, ready: /Certificate/ },
    { name: 'servers', path: '/servers', ready: /VPN servers, .* active sessions/ },
    { name: 'server', path: `/servers/${server.id}`, ready: 'API keys', charts: 3 },
    { name: 'unmatched-events', path: '/events/unmatched', ready: /\d unmatched events/ },
    { name: 'rejected-events', path: '/events/rejected', ready: /\d rejected events/ },
    { name: 'portal-users', path: '/portal-users', ready: /of .* portal users/ },
    { name: 'new-portal-user', path: '/portal-users/new', ready: 'Full access' },
    { name: 'portal-user', path: `/portal-users/${users[0]?.id ?? 1}`, ready: 'Full access' },
    { name: 'audit-log', path: '/audit-logs', ready: /of .* entries/ },
    { name: 'profile', path: '/profile', ready: 'What you did' },
    { name: 'settings', path: '/settings', ready: 'Lists refresh every' },
    { name: 'not-found', path: '/no/such/page', ready: 'There is no page at this address' },
  ]
}
