import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import { useQuery } from '@tanstack/react-query'
import { Cable, UsersRound } from 'lucide-react'
import { Link } from 'react-router'
import { Page } from '@/components/Page'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { LiveFeed } from './LiveFeed'
import { dashboardQuery } from './queries'
import { ServerGrid } from './ServerGrid'
import { SummaryCards } from './SummaryCards'
import { UsageCharts } from './UsageCharts'

/** What is happening now. */
export function DashboardPage() {
  const query = useQuery(dashboardQuery)
  return (
    <Page title="Dashboard" actions={<QuickActions />}>
      <QueryState query={query} what="the dashboard" loading={<Loading />}>
        {(dashboard) => (
          <>
            <SummaryCards dashboard={dashboard} />
            <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 0.85fr) minmax(0, 1.15fr)' } }}>
              <ServerGrid />
              <LiveFeed connects={dashboard.recent_connects} disconnects={dashboard.recent_disconnects} />
            </Box>
            <UsageCharts dashboard={dashboard} />
          </>
        )}
      </QueryState>
    </Page>
  )
}

function QuickActions() {
  return (
    <>
      <Button component={Link} to="/sessions" variant="outlined" color="secondary" startIcon={<Cable size={15} aria-hidden />}>
        All sessions
      </Button>
      <Button component={Link} to="/vpn-users" variant="outlined" color="secondary" startIcon={<UsersRound size={15} aria-hidden />}>
        All VPN users
      </Button>
    </>
  )
}

function Loading() {
  return (
    <>
      <LoadingBlock height={104} />
      <LoadingBlock height={418} />
      <LoadingBlock height={280} />
    </>
  )
}
