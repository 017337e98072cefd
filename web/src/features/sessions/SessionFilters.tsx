import type { ReactNode } from 'react'
import { ChoicesFilter } from '@/components/filters/ChoiceFilter'
import { FilterBar } from '@/components/filters/FilterBar'
import { RangeFilter } from '@/components/filters/RangeFilter'
import { ServersFilter } from '@/components/filters/ServersFilter'
import { TextFilter } from '@/components/filters/TextFilter'
import type { SetView } from '@/view-state/url'
import { UserFilter } from './UserFilter'
import { ipError, isFiltered, noFilter, sessionStatuses, type sessionsView, type SessionsView } from './view'

const statusChoices = sessionStatuses.map((value) => ({ value, label: value }))

interface SessionFiltersProps {
  view: SessionsView
  setView: SetView<typeof sessionsView>
  end: ReactNode
}

export function SessionFilters({ view, setView, end }: SessionFiltersProps) {
  return (
    <FilterBar end={end} onClear={isFiltered(view) ? () => setView(noFilter) : undefined}>
      <TextFilter label="Name or e-mail" value={view.search} onChange={(search) => setView({ search }, { replace: true })} />
      <TextFilter
        label="Address or network"
        placeholder="10.8.0.0/24"
        value={view.ip}
        error={ipError(view.ip)}
        width={170}
        onChange={(ip) => setView({ ip }, { replace: true })}
      />
      <UserFilter value={view.user_id} onChange={(user_id) => setView({ user_id })} />
      <ChoicesFilter label="Status" choices={statusChoices} value={view.status} onChange={(status) => setView({ status })} width={135} />
      <ServersFilter value={view.server_instance} onChange={(server_instance) => setView({ server_instance })} />
      <RangeFilter label="Connected" value={view} onChange={(range) => setView(range)} />
    </FilterBar>
  )
}
