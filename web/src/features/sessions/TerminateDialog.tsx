import TextField from '@mui/material/TextField'
import MenuItem from '@mui/material/MenuItem'
import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import type { Session } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { tell } from '@/components/Toasts'
import { formatCount } from '@/format/number'

const denials = [
  { seconds: 0, label: 'Let the user connect again' },
  { seconds: 300, label: 'Refuse new connects for 5 minutes' },
  { seconds: 3_600, label: 'Refuse new connects for 1 hour' },
  { seconds: 86_400, label: 'Refuse new connects for 1 day' },
]

interface TerminateDialogProps {
  sessions: Pick<Session, 'id' | 'common_name' | 'server_instance'>[]
  onClose: () => void
  onDone?: () => void
}

/** Asks for sessions to be ended. What is stored is a request: the page shows how far it has come. */
export function TerminateDialog({ sessions, onClose, onDone }: TerminateDialogProps) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const [deny, setDeny] = useState(0)
  const request = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/sessions/terminate', {
          body: { session_ids: sessions.map((session) => session.id), reason: reason.trim(), ...(deny > 0 && { deny_seconds: deny }) },
        }),
      ),
    onSuccess: ({ commands, refused }) => {
      const asked = `${formatCount(commands.length)} ${commands.length === 1 ? 'termination is' : 'terminations are'} requested`
      const left =
        refused.length > 0
          ? `, ${formatCount(refused.length)} not: ${refused.map(({ error }) => error.replaceAll('_', ' ')).join(', ')}`
          : ''
      tell(`${asked}${left}.`, refused.length > 0 ? 'warning' : 'success')
      void client.invalidateQueries({ queryKey: ['sessions'] })
      onDone?.()
      onClose()
    },
  })
  const [first] = sessions
  const what =
    sessions.length === 1 && first
      ? `the session of ${first.common_name} on ${first.server_instance}`
      : `${formatCount(sessions.length)} sessions`
  return (
    <ConfirmDialog
      open
      danger
      title={sessions.length === 1 ? 'Terminate the session?' : `Terminate ${formatCount(sessions.length)} sessions?`}
      confirm="Request termination"
      disabled={reason.trim() === ''}
      busy={request.isPending}
      error={request.error}
      onConfirm={() => request.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        The VPN server’s agent will be asked to end {what}. The session shows how far the request has come; it counts as ended only when the
        VPN server says so. A request that no agent takes expires.
      </Typography>
      <TextField
        autoFocus
        required
        multiline
        minRows={2}
        label="Reason"
        helperText="It is stored and shown in the audit log."
        value={reason}
        onChange={(event) => setReason(event.target.value)}
        slotProps={{ htmlInput: { maxLength: 500 } }}
      />
      <TextField select label="Afterwards" value={deny} onChange={(event) => setDeny(Number(event.target.value))}>
        {denials.map(({ seconds, label }) => (
          <MenuItem key={seconds} value={seconds}>
            {label}
          </MenuItem>
        ))}
      </TextField>
    </ConfirmDialog>
  )
}
