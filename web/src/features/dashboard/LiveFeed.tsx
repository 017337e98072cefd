import Box from '@mui/material/Box'
import { memo } from 'react'
import type { LiveSession, Session } from '@/api/types'
import { Panel } from '@/components/Panel'
import { PlainLink } from '@/components/PlainLink'
import { TextLink } from '@/components/TextLink'
import { unknown } from '@/format/number'
import { durationOf } from '@/format/session'
import { formatDuration, formatTimeOfDay } from '@/format/time'
import { usePreferences } from '@/preferences/preferences'
import { useLiveFeed } from '@/realtime/hooks'

const length = 10
const entryHeight = 32

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
      <ol className="feed" style={{ height: length * entryHeight }}>
        {sessions.map((session, index) => (
          <Entry
            key={session.id}
            session={session}
            place={index}
            at={instant(session)}
            detail={detail(session)}
            arrived={live.includes(session)}
          />
        ))}
        {sessions.length === 0 && <li>Nobody yet.</li>}
      </ol>
    </Box>
  )
}

interface EntryProps {
  session: LiveSession
  /** From the top, 0 is the newest. */
  place: number
  at: string
  detail: string
  /** While one looks. */
  arrived: boolean
}

/** Others come and go several times a second: who stays is only moved. */
const Entry = memo(function Entry({ session, place, at, detail, arrived }: EntryProps) {
  const clock = usePreferences()
  return (
    <li className={arrived ? 'arrived' : undefined} style={{ transform: `translateY(${place * entryHeight}px)` }}>
      <time dateTime={at} className="tabular">
        {formatTimeOfDay(at, { ...clock, hourCycle: '24' })}
      </time>
      <span className="feed-name">
        <PlainLink strong to={`/sessions/${session.id}`} title={`${session.common_name} on ${session.server_instance}`}>
          {session.common_name}
        </PlainLink>
        <span className="feed-server">{session.server_instance}</span>
      </span>
      <span className="feed-detail tabular">{detail}</span>
    </li>
  )
})
