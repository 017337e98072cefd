export const roles = ['admin', 'operator', 'viewer', 'auditor'] as const
export type Role = (typeof roles)[number]

export const anyRole: readonly Role[] = roles

/** What a role may do, in the words of the interface. The services decide; this only hides what they would refuse. */
const permissions = {
  editVpnUsers: ['admin', 'operator'],
  terminateSessions: ['admin'],
  administer: ['admin'],
  readAuditLog: ['admin', 'auditor'],
  generateReports: ['admin', 'operator'],
  complianceReport: ['admin', 'operator', 'auditor'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissions

export function holdsOneOf(held: readonly Role[], wanted: readonly Role[]): boolean {
  return held.some((role) => wanted.includes(role))
}

export function may(held: readonly Role[], permission: Permission): boolean {
  return holdsOneOf(held, permissions[permission])
}

export function isRole(name: string): name is Role {
  return roles.some((role) => role === name)
}
