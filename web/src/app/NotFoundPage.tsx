import Button from '@mui/material/Button'
import { SearchX } from 'lucide-react'
import { Link } from 'react-router'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'

export function NotFoundPage() {
  return (
    <Page title="Page not found">
      <Panel>
        <EmptyState
          icon={SearchX}
          title="There is no page at this address"
          detail="The link may be old or mistyped. Ctrl K searches users, sessions, addresses and pages."
          action={
            <Button component={Link} to="/dashboard" variant="outlined" sx={{ mt: 1 }}>
              Go to the dashboard
            </Button>
          }
        />
      </Panel>
    </Page>
  )
}
