import {
  Ban,
  Cable,
  Gauge,
  Hourglass,
  ScrollText,
  Server,
  Settings,
  ShieldUser,
  UserRound,
  UserRoundX,
  UserSearch,
  UsersRound,
  type LucideIcon,
} from 'lucide-react'
import { anyRole, holdsOneOf, type Role } from '@/auth/roles'

export interface NavigationItem {
  title: string
  path: string
  icon: LucideIcon
  roles: readonly Role[]
  /** Not in the side navigation; the search finds it. */
  hidden?: boolean
  /** Other words that people look for it by. */
  words?: string
}

export const navigation: NavigationItem[] = [
  { title: 'Dashboard', path: '/dashboard', icon: Gauge, roles: anyRole, words: 'home overview live' },
  { title: 'Sessions', path: '/sessions', icon: Cable, roles: anyRole, words: 'connections active history export terminate' },
  { title: 'Denials', path: '/denials', icon: UserRoundX, roles: anyRole, words: 'denied refused blocked kill terminate revoke' },
  { title: 'Identity', path: '/identity', icon: UserSearch, roles: anyRole, words: 'who held address ip instant' },
  { title: 'VPN users', path: '/vpn-users', icon: UsersRound, roles: anyRole, words: 'certificates common name ccd routes' },
  { title: 'Servers', path: '/servers', icon: Server, roles: anyRole, words: 'vpn health agents gaps keys' },
  {
    title: 'Unmatched events',
    path: '/events/unmatched',
    icon: Hourglass,
    roles: anyRole,
    words: 'disconnect without connect waiting',
  },
  {
    title: 'Rejected events',
    path: '/events/rejected',
    icon: Ban,
    roles: ['admin'],
    words: 'dead letters refused invalid agents',
  },
  {
    title: 'Portal users',
    path: '/portal-users',
    icon: ShieldUser,
    roles: ['admin'],
    words: 'accounts roles admin operator viewer auditor',
  },
  { title: 'Audit log', path: '/audit-logs', icon: ScrollText, roles: ['admin', 'auditor'], words: 'history who did what verify chain' },
  { title: 'Profile', path: '/profile', icon: UserRound, roles: anyRole, hidden: true, words: 'password two-factor totp email' },
  { title: 'Settings', path: '/settings', icon: Settings, roles: anyRole, hidden: true, words: 'theme dark density time zone utc' },
]

export function navigationFor(roles: readonly Role[]): NavigationItem[] {
  return navigation.filter((item) => holdsOneOf(roles, item.roles))
}
