import Box from '@mui/material/Box'
import type { TopUser } from '@/api/types'
import { Panel } from '@/components/Panel'
import { EmptyState } from '@/components/states/EmptyState'
import { TextLink } from '@/components/TextLink'
import { formatBytes } from '@/format/number'

const total = ({ bytes_in, bytes_out }: TopUser) => bytes_in + bytes_out

/** Who moved most, the ones with the longest bars first. */
export function TopUsers({ users }: { users: TopUser[] }) {
  const most = Math.max(1, ...users.map(total))
  return (
    <Panel title="Top VPN users" note="by data, last 7 days" sx={{ gridColumn: { md: '1 / -1', lg: 'auto' } }}>
      {users.length === 0 ? (
        <EmptyState title="No data yet" />
      ) : (
        <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {users.map((user) => (
            <Box
              component="li"
              key={user.vpn_user_id}
              sx={{
                display: 'grid',
                gridTemplateColumns: 'minmax(0, 1fr) minmax(40px, 28%) 60px',
                alignItems: 'center',
                gap: 1.5,
                height: 24,
                fontSize: '0.8125rem',
              }}
            >
              <TextLink
                to={`/vpn-users/${user.vpn_user_id}`}
                title={user.full_name ?? undefined}
                sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
              >
                {user.common_name}
              </TextLink>
              <Box aria-hidden sx={{ display: 'flex', height: 8, borderRadius: 1, overflow: 'hidden' }}>
                <Box sx={{ width: `${(user.bytes_in / most) * 100}%`, bgcolor: 'var(--ovt-palette-ovt-series-0)' }} />
                <Box sx={{ width: `${(user.bytes_out / most) * 100}%`, bgcolor: 'var(--ovt-palette-ovt-series-1)' }} />
              </Box>
              <Box
                className="tabular"
                sx={{ textAlign: 'right', color: 'text.secondary', fontSize: '0.75rem' }}
                title={`${formatBytes(user.bytes_in)} from the client, ${formatBytes(user.bytes_out)} to it`}
              >
                {formatBytes(total(user))}
              </Box>
            </Box>
          ))}
        </Box>
      )}
    </Panel>
  )
}
