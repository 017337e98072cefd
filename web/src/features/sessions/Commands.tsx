import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import { useQuery } from '@tanstack/react-query'
import type { Command, SessionDetail } from '@/api/types'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'
import { commandsQuery } from './queries'
import { isUnderWay } from './view'

interface StateWords {
  severity: 'info' | 'success' | 'warning' | 'error'
  title: string
}

/** What each state means, and no more than that. */
const states: Record<Command['state'], StateWords> = {
  requested: { severity: 'info', title: 'Termination requested; no agent has taken it yet' },
  delivered: { severity: 'info', title: 'Termination delivered to the agent' },
  accepted: { severity: 'info', title: 'The daemon has accepted the termination' },
  gone: { severity: 'success', title: 'The session is gone; the agent watches whether the VPN user comes back' },
  stayed_gone: { severity: 'success', title: 'The session is gone, and the VPN user has not come back' },
  reconnected: { severity: 'warning', title: 'The session ended, and the VPN user has connected again' },
  failed: { severity: 'error', title: 'The termination failed' },
  expired: { severity: 'warning', title: 'The termination expired: no agent took it, nothing was done to the session' },
  unanswered: { severity: 'warning', title: 'The agent took the termination and has not told how it ended' },
}

/** What was asked of a session; followed closely while it may still come to something. */
export function SessionCommands({ session }: { session: SessionDetail }) {
  const enabled = session.commands.some(({ state }) => isUnderWay(state))
  const { data } = useQuery({ ...commandsQuery(session.id), enabled })
  return <Commands commands={enabled && data ? data.commands : session.commands} />
}

/** What was asked, the newest first, and how far it has come. */
export function Commands({ commands }: { commands: Command[] }) {
  return commands.slice(0, 3).map((command) => (
    <Alert key={command.id} severity={states[command.state].severity} role="status">
      <Box component="span" sx={{ fontWeight: 560 }}>
        {states[command.state].title}.
      </Box>{' '}
      {command.requested_by} asked for it at <Time at={command.requested_at} relative="none" />: “{command.reason}”
      {command.state === 'requested' && (
        <>
          {' · expires '}
          <Time at={command.expires_at} relative="only" />
        </>
      )}
      {command.deny_until && (
        <>
          {' · '}
          <TextLink to="/denials" underline="always">
            new connects refused
          </TextLink>{' '}
          until <Time at={command.deny_until} relative="none" />
        </>
      )}
      {command.reconnected_session_id && (
        <>
          {' · '}
          <TextLink to={`/sessions/${command.reconnected_session_id}`} underline="always">
            the new session
          </TextLink>
        </>
      )}
      {command.failure && <Box sx={{ mt: 0.5 }}>{command.failure}</Box>}
      <Steps command={command} />
    </Alert>
  ))
}

/** How long after the request each step was reached. */
function Steps({ command }: { command: Command }) {
  const since = Date.parse(command.requested_at)
  const steps = [
    { name: 'delivered', at: command.delivered_at },
    { name: 'accepted by the daemon', at: command.accepted_at },
    { name: 'gone', at: command.gone_at },
    { name: 'stayed gone', at: command.stayed_gone_at },
    { name: 'reconnected', at: command.reconnected_at },
    { name: 'failed', at: command.failed_at },
  ].filter(({ at }) => at)
  if (steps.length === 0) return null
  return (
    <Box component="ol" aria-label="Steps" sx={{ display: 'flex', flexWrap: 'wrap', columnGap: 2, listStyle: 'none', p: 0, m: 0, mt: 0.5 }}>
      {steps.map(({ name, at }) => (
        <li key={name} title={at ?? undefined}>
          {name} <span className="tabular">after {((Date.parse(at ?? '') - since) / 1_000).toFixed(1)} s</span>
        </li>
      ))}
    </Box>
  )
}
