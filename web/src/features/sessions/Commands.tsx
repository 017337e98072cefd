import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import type { Command } from '@/api/types'
import { TextLink } from '@/components/TextLink'
import { Time } from '@/components/Time'

interface StateWords {
  severity: 'info' | 'success' | 'warning' | 'error'
  title: string
}

/** What each state means, and no more than that. */
const states: Record<Command['state'], StateWords> = {
  requested: { severity: 'info', title: 'Termination requested; no agent has taken it yet' },
  delivered: { severity: 'info', title: 'Termination delivered to the agent' },
  accepted: { severity: 'info', title: 'The daemon has accepted the termination' },
  gone: { severity: 'success', title: 'The session is gone' },
  stayed_gone: { severity: 'success', title: 'The session is gone, and the VPN user has not come back' },
  reconnected: { severity: 'warning', title: 'The session ended, and the VPN user has connected again' },
  failed: { severity: 'error', title: 'The termination failed' },
  expired: { severity: 'warning', title: 'The termination expired: no agent took it, nothing was done' },
}

/** What was asked of this session, the newest first, and how far it has come. */
export function Commands({ commands }: { commands: Command[] }) {
  return commands.slice(0, 3).map((command) => (
    <Alert key={command.id} severity={states[command.state].severity} role="status">
      <Box component="span" sx={{ fontWeight: 560 }}>
        {states[command.state].title}.
      </Box>{' '}
      {command.requested_by} asked for it at <Time at={command.requested_at} relative="none" />: “{command.reason}”
      {command.failure && ` (${command.failure})`}
      {command.state === 'requested' && (
        <>
          {' · expires '}
          <Time at={command.expires_at} relative="only" />
        </>
      )}
      {command.deny_until && (
        <>
          {' · new connects refused until '}
          <Time at={command.deny_until} relative="none" />
        </>
      )}
      {command.reconnected_session_id && (
        <>
          {' · '}
          <TextLink to={`/sessions/${command.reconnected_session_id}`}>the new session</TextLink>
        </>
      )}
    </Alert>
  ))
}
