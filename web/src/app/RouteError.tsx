import { useRouteError } from 'react-router'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { ErrorState } from '@/components/states/ErrorState'

/** A page that threw, or whose code could not be loaded (after an upgrade the old files are gone). */
export function RouteError() {
  const error = useRouteError()
  return (
    <Page title="Something went wrong">
      <Panel>
        <ErrorState error={error} what="this page" onRetry={() => location.reload()} />
      </Panel>
    </Page>
  )
}
