import type { Tone } from '@/components/StatusChip'

export const actions = [
  'create',
  'update',
  'delete',
  'revoke',
  'approve',
  'login',
  'login_failed',
  'logout',
  'logout_all',
  'lockout',
  'unlock',
  'export',
  'terminate',
  'reset_password',
  'change_password',
  'mfa_enable',
  'mfa_disable',
  'recovery_code_used',
  'permission_denied',
  'refresh_reused',
] as const

const bad = new Set(['delete', 'revoke', 'login_failed', 'lockout', 'terminate', 'permission_denied', 'refresh_reused', 'mfa_disable'])
const good = new Set(['create', 'approve', 'unlock', 'mfa_enable'])
const caution = new Set(['update', 'reset_password', 'change_password', 'recovery_code_used', 'export'])

export function toneOf(action: string): Tone {
  if (bad.has(action)) return 'bad'
  if (good.has(action)) return 'good'
  return caution.has(action) ? 'caution' : 'neutral'
}

export const objectTypes = [
  'portal_user',
  'portal_role',
  'portal_session',
  'vpn_server',
  'server_api_key',
  'vpn_user',
  'vpn_session',
  'audit_log',
  'route',
  'token_signing_key',
] as const

export function spaced(name: string): string {
  return name.replaceAll('_', ' ')
}
