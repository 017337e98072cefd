import { useSyncExternalStore } from 'react'
import { holdsOneOf, may, type Permission, type Role } from './roles'
import { authState, subscribe, type AuthState, type PortalUser } from './session'

export function useAuthState(): AuthState {
  return useSyncExternalStore(subscribe, authState)
}

/** The portal user who is signed in. Only below the shell, which renders for nobody else. */
export function usePortalUser(): PortalUser {
  const state = useAuthState()
  if (state.kind !== 'signed-in') throw new Error('usePortalUser is for pages behind the login')
  return state.user
}

export function usePermission(permission: Permission): boolean {
  const state = useAuthState()
  return state.kind === 'signed-in' && may(state.user.roles, permission)
}

export function useHoldsOneOf(roles: readonly Role[]): boolean {
  const state = useAuthState()
  return state.kind === 'signed-in' && holdsOneOf(state.user.roles, roles)
}
