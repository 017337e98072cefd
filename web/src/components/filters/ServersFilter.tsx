import { useQuery } from '@tanstack/react-query'
import { serversQuery } from '@/api/servers'
import { ChoicesFilter } from './ChoiceFilter'

const every = { search: '', status: [] }

/** Any of the VPN servers; none chosen means all. */
export function ServersFilter({ value, onChange }: { value: string[]; onChange: (names: string[]) => void }) {
  const servers = useQuery(serversQuery(every))
  const known = servers.data?.servers.map((server) => server.name) ?? []
  // A link may name a VPN server that the list does not have (any more).
  const names = [...new Set([...known, ...value])]
  return (
    <ChoicesFilter label="VPN servers" choices={names.map((name) => ({ value: name, label: name }))} value={value} onChange={onChange} />
  )
}
