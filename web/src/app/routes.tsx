import type { ComponentType } from 'react'
import type { RouteObject } from 'react-router'
import { anyRole, type Role } from '@/auth/roles'
import { RequireRole } from './RequireRole'

interface PageRoute {
  path: string
  roles: readonly Role[]
  /** Loads the page's code when it is first visited. */
  load: () => Promise<ComponentType>
}

/** Every page behind the login, with the roles that may see it: the only list of paths. */
const pages: PageRoute[] = [
  { path: '/dashboard', roles: anyRole, load: async () => (await import('@/features/dashboard/DashboardPage')).DashboardPage },
  { path: '/sessions', roles: anyRole, load: async () => (await import('@/features/sessions/SessionsPage')).SessionsPage },
  { path: '/sessions/:id', roles: anyRole, load: async () => (await import('@/features/sessions/SessionPage')).SessionPage },
  { path: '/denials', roles: anyRole, load: async () => (await import('@/features/denials/DenialsPage')).DenialsPage },
  { path: '/identity', roles: anyRole, load: async () => (await import('@/features/identity/IdentityPage')).IdentityPage },
  { path: '/vpn-users', roles: anyRole, load: async () => (await import('@/features/vpn-users/VpnUsersPage')).VpnUsersPage },
  { path: '/vpn-users/:id', roles: anyRole, load: async () => (await import('@/features/vpn-users/VpnUserPage')).VpnUserPage },
  { path: '/servers', roles: anyRole, load: async () => (await import('@/features/servers/ServersPage')).ServersPage },
  { path: '/servers/:id', roles: anyRole, load: async () => (await import('@/features/servers/ServerPage')).ServerPage },
  {
    path: '/events/unmatched',
    roles: anyRole,
    load: async () => (await import('@/features/events/UnmatchedEventsPage')).UnmatchedEventsPage,
  },
  {
    path: '/events/rejected',
    roles: ['admin'],
    load: async () => (await import('@/features/events/RejectedEventsPage')).RejectedEventsPage,
  },
  { path: '/portal-users', roles: ['admin'], load: async () => (await import('@/features/portal-users/PortalUsersPage')).PortalUsersPage },
  {
    path: '/portal-users/new',
    roles: ['admin'],
    load: async () => (await import('@/features/portal-users/NewPortalUserPage')).NewPortalUserPage,
  },
  {
    path: '/portal-users/:id',
    roles: ['admin'],
    load: async () => (await import('@/features/portal-users/PortalUserPage')).PortalUserPage,
  },
  {
    path: '/audit-logs',
    roles: ['admin', 'auditor'],
    load: async () => (await import('@/features/audit-logs/AuditLogsPage')).AuditLogsPage,
  },
  { path: '/profile', roles: anyRole, load: async () => (await import('@/features/profile/ProfilePage')).ProfilePage },
  { path: '/settings', roles: anyRole, load: async () => (await import('@/features/settings/SettingsPage')).SettingsPage },
]

export const pageRoutes: RouteObject[] = pages.map(({ path, roles, load }) => ({
  path,
  lazy: async () => {
    const Page = await load()
    return {
      Component: () => (
        <RequireRole roles={roles}>
          <Page />
        </RequireRole>
      ),
    }
  },
}))
