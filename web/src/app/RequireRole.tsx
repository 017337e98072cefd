import type { ReactNode } from 'react'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { useHoldsOneOf } from '@/auth/useAuth'
import type { Role } from '@/auth/roles'
import { Lock } from 'lucide-react'

/** Shows a page to those roles only. The services refuse its data to everybody else anyway. */
export function RequireRole({ roles, children }: { roles: readonly Role[]; children: ReactNode }) {
  if (useHoldsOneOf(roles)) return children
  return (
    <Page title="Not allowed">
      <Panel>
        <EmptyState
          icon={Lock}
          title="Your roles do not include this page"
          detail={`It is for ${roles.join(' and ')}. An admin can change your roles.`}
        />
      </Panel>
    </Page>
  )
}
