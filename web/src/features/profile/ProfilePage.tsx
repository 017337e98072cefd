import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Account } from './Account'
import { ChangePasswordForm } from './ChangePasswordForm'
import { Logins } from './Logins'
import { OwnActions } from './OwnActions'
import { PortalSessions } from './PortalSessions'
import { profileQuery } from './queries'
import { TwoFactor } from './TwoFactor'

/** One's own account: who one is here, how one signs in, and where one is signed in. */
export function ProfilePage() {
  const query = useQuery(profileQuery)
  return (
    <Page title="Profile">
      <QueryState query={query} what="your profile" loading={<LoadingLines lines={10} />}>
        {(profile) => (
          <Box
            sx={{
              display: 'grid',
              gap: 2,
              gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
              alignItems: 'start',
            }}
          >
            <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
              <Account profile={profile} />
              <Panel title="Password">
                <ChangePasswordForm />
              </Panel>
              <TwoFactor profile={profile} />
            </Box>
            <Box sx={{ display: 'grid', gap: 2, minWidth: 0 }}>
              <PortalSessions />
              <Logins />
              <OwnActions />
            </Box>
          </Box>
        )}
      </QueryState>
    </Page>
  )
}
