import Box from '@mui/material/Box'
import { Activity, ArrowDownUp, CalendarClock, ShieldUser, UsersRound, type LucideIcon } from 'lucide-react'
import { memo } from 'react'
import { Link } from 'react-router'
import type { Dashboard } from '@/api/types'
import { formatBytes, formatCount } from '@/format/number'
import { useLiveStats, useRealtimeState } from '@/realtime/hooks'

export function SummaryCards({ dashboard }: { dashboard: Dashboard }) {
  const stats = useLiveStats()
  const state = useRealtimeState()
  const active = stats?.active_sessions ?? dashboard.active_sessions
  const coming = stats
    ? `${formatCount(stats.connects_per_minute)} came, ${formatCount(stats.disconnects_per_minute)} left in the last minute`
    : 'now'
  return (
    <Box
      sx={{
        display: 'grid',
        gap: { xs: 1, sm: 2 },
        gridTemplateColumns: { xs: '1fr 1fr', md: 'repeat(auto-fit, minmax(180px, 1fr))' },
        '& > :last-child:nth-child(odd)': { gridColumn: { xs: 'span 2', md: 'auto' } },
      }}
    >
      <Card
        to="/sessions?status=active"
        icon={Activity}
        title="Active sessions"
        value={formatCount(active)}
        note={coming}
        live={state.kind === 'live'}
      />
      <Card
        to="/sessions?range=today"
        icon={CalendarClock}
        title="Sessions today"
        value={formatCount(dashboard.sessions_today)}
        note="connected since 00:00 UTC"
      />
      <Card
        to="/sessions?range=today"
        icon={ArrowDownUp}
        title="Data today"
        value={formatBytes(dashboard.bytes_in_today + dashboard.bytes_out_today)}
        note={`${formatBytes(dashboard.bytes_in_today)} in, ${formatBytes(dashboard.bytes_out_today)} out`}
      />
      <Card
        to="/vpn-users"
        icon={UsersRound}
        title="VPN users"
        value={formatCount(dashboard.total_users)}
        note="known by their certificate"
      />
      {dashboard.total_portal_users != null && (
        <Card
          to="/portal-users"
          icon={ShieldUser}
          title="Portal users"
          value={formatCount(dashboard.total_portal_users)}
          note="may sign in here"
        />
      )}
    </Box>
  )
}

interface CardProps {
  to: string
  icon: LucideIcon
  title: string
  value: string
  note: string
  /** The figure moves by itself. */
  live?: boolean
}

const Card = memo(function Card({ to, icon: Icon, title, value, note, live }: CardProps) {
  return (
    <Box
      component={Link}
      to={to}
      sx={{
        display: 'block',
        minWidth: 0,
        p: { xs: 1.5, sm: 2 },
        py: 1.5,
        bgcolor: 'background.paper',
        border: '1px solid',
        borderColor: 'divider',
        borderRadius: 1,
        boxShadow: 'var(--ovt-palette-ovt-shadow)',
        color: 'inherit',
        textDecoration: 'none',
        transition: 'border-color 120ms',
        '&:hover': { borderColor: 'primary.main' },
      }}
    >
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 0.75, color: 'text.secondary', fontSize: '0.8125rem', whiteSpace: 'nowrap' }}>
        <Icon size={15} aria-hidden />
        {title}
        {live && <LiveDot />}
      </Box>
      <Box
        className="tabular"
        data-testid={title}
        sx={{ fontSize: '1.625rem', fontWeight: 640, letterSpacing: '-0.02em', lineHeight: 1.3 }}
      >
        {value}
      </Box>
      <Box
        className="tabular"
        sx={{ color: 'text.secondary', fontSize: '0.75rem', whiteSpace: 'nowrap', overflow: 'hidden', textOverflow: 'ellipsis' }}
      >
        {note}
      </Box>
    </Box>
  )
})

function LiveDot() {
  return (
    <Box
      component="span"
      sx={{ ml: 'auto', display: 'inline-flex', alignItems: 'center', gap: 0.5, color: 'ovt.good', fontSize: '0.6875rem', fontWeight: 600 }}
    >
      <Box component="span" aria-hidden sx={{ width: 6, height: 6, borderRadius: '50%', bgcolor: 'currentColor' }} />
      <Box component="span" sx={{ display: { xs: 'none', sm: 'inline' } }}>
        live
      </Box>
    </Box>
  )
}
