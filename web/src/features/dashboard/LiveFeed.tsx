import Box from '@mui/material/Box'
import { memo } from 'react'
import type { LiveSession, Session } from '@/api/types'
import { Panel } from '@/components/Panel'
import { TextLink } from '@/components/TextLink'
import { unknown } from '@/format/number'
import { durationOf } from '@/format/session'
import { formatDuration, formatTimeOfDay } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { useLiveFeed } from '@/realtime/hooks'

const length = 10

type Feed = (Session | LiveSession)[]

/** What came over the socket on top of what the page began with; each session once. */
function merged(live: Feed, loaded: Feed, instant: (session: LiveSession) => string): Feed {
  const known = new Set(live.map((session) => session.id))
  return [...live, ...loaded.filter((session) => !known.has(session.id))]
    .toSorted((a, b) => (instant(a) < instant(b) ? 1 : -1))
    .slice(0, length)
}

const connectedAt = (session: LiveSession) => session.connected_at
const endedAt = (session: LiveSession) => session.disconnected_at ?? session.last_seen_at

/** The last ten who came and the last ten who left. */
export function LiveFeed({ connects, disconnects }: { connects: Session[]; disconnects: Session[] }) {
  return (
    <Panel
      title="Live sessions"
      note="the last 10 of each"
      actions={
        <TextLink to="/sessions?status=active" variant="body2">
          Active sessions
        </TextLink>
      }
    >
      <Box sx={{ display: 'grid', gap: 2.5, gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: 'minmax(0, 1fr) minmax(0, 1fr)' } }}>
        <Column
          title="Connected"
          live={useLiveFeed('connects')}
          loaded={connects}
          instant={connectedAt}
          detail={(session) => session.virtual_ip ?? session.virtual_ip6 ?? unknown}
        />
        <Column
          title="Disconnected"
          live={useLiveFeed('disconnects')}
          loaded={disconnects}
          instant={endedAt}
          detail={(session) => formatDuration(durationOf(session, Date.parse(endedAt(session))))}
        />
      </Box>
    </Panel>
  )
}

interface ColumnProps {
  title: string
  live: Feed
  loaded: Feed
  instant: (session: LiveSession) => string
  detail: (session: LiveSession) => string
}

function Column({ title, live, loaded, instant, detail }: ColumnProps) {
  const sessions = merged(live, loaded, instant)
  return (
    <Box component="section" aria-label={title} sx={{ minWidth: 0 }}>
      <Box component="h3" sx={{ m: 0, mb: 0.5, fontSize: '0.75rem', fontWeight: 560, color: 'text.secondary' }}>
        {title}
      </Box>
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0, minHeight: length * 32 }}>
        {sessions.map((session) => (
          <Entry key={session.id} session={session} at={instant(session)} detail={detail(session)} />
        ))}
        {sessions.length === 0 && <Box sx={{ color: 'text.secondary', fontSize: '0.8125rem', py: 1 }}>Nobody yet.</Box>}
      </Box>
    </Box>
  )
}

/** Others come and go several times a second: who stays is not drawn again. */
const Entry = memo(function Entry({ session, at, detail }: { session: LiveSession; at: string; detail: string }) {
  const clock = usePreferences()
  return (
    <Box
      component="li"
      sx={{
        height: 32,
        display: 'grid',
        gridTemplateColumns: '58px minmax(0, 1fr) auto',
        alignItems: 'center',
        gap: 1,
        fontSize: '0.8125rem',
        borderBottom: '1px solid',
        borderColor: 'ovt.line',
        animation: 'ovt-arrive 1.4s ease-out',
        '@keyframes ovt-arrive': { from: { backgroundColor: 'var(--ovt-palette-ovt-primarySoft)' } },
      }}
    >
      <Box component="time" dateTime={at} className="tabular" sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>
        {formatTimeOfDay(at, { ...clock, hourCycle: '24' })}
      </Box>
      <Box sx={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}>
        <TextLink to={`/sessions/${session.id}`} title={`${session.common_name} on ${session.server_instance}`} sx={{ fontWeight: 520 }}>
          {session.common_name}
        </TextLink>
        <Box component="span" sx={{ display: { xs: 'none', xl: 'inline' }, color: 'text.secondary', ml: 1, fontSize: '0.75rem' }}>
          {session.server_instance}
        </Box>
      </Box>
      <Box className="tabular" sx={{ color: 'text.secondary', fontSize: '0.75rem', whiteSpace: 'nowrap' }}>
        {detail}
      </Box>
    </Box>
  )
})
