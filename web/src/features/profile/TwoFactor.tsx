import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Profile } from '@/api/types'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { Panel } from '@/components/Panel'
import { PasswordField } from '@/components/PasswordField'
import { ToneChip } from '@/components/StatusChip'
import { tell } from '@/components/Toasts'
import { EnrolTotp } from './EnrolTotp'

/** The second factor: off, being set up, or on. */
export function TwoFactor({ profile }: { profile: Profile }) {
  const [enrolling, setEnrolling] = useState(false)
  const [disabling, setDisabling] = useState(false)
  return (
    <Panel
      title="Two-factor sign-in"
      actions={<ToneChip tone={profile.totp_enabled ? 'good' : 'neutral'} label={profile.totp_enabled ? 'on' : 'off'} dot />}
    >
      {enrolling ? (
        <EnrolTotp onDone={() => setEnrolling(false)} />
      ) : (
        <Box sx={{ display: 'grid', gap: 1.5, justifyItems: 'start' }}>
          <Typography variant="body2" color="textSecondary">
            {profile.totp_enabled
              ? `After the password, a code of your authenticator app is asked for. ${profile.recovery_codes_left} recovery codes are left.`
              : 'With an authenticator app, a stolen password alone is worth nothing.'}
          </Typography>
          {profile.totp_enabled ? (
            <Button variant="outlined" color="error" onClick={() => setDisabling(true)}>
              Turn off
            </Button>
          ) : (
            <Button variant="outlined" onClick={() => setEnrolling(true)}>
              Set up
            </Button>
          )}
        </Box>
      )}
      {disabling && <DisableDialog onClose={() => setDisabling(false)} />}
    </Panel>
  )
}

function DisableDialog({ onClose }: { onClose: () => void }) {
  const queryClient = useQueryClient()
  const [password, setPassword] = useState('')
  const disable = useMutation({
    mutationFn: () => answer(api.POST('/api/profile/totp/disable', { body: { password } })),
    onSuccess: async () => {
      tell('Two-factor sign-in is off')
      await queryClient.invalidateQueries({ queryKey: ['profile'] })
      onClose()
    },
  })
  const isWrong = disable.error instanceof Problem && disable.error.error === 'wrong_password'
  return (
    <ConfirmDialog
      open
      title="Turn off two-factor sign-in"
      confirm="Turn off"
      danger
      disabled={password === ''}
      busy={disable.isPending}
      error={isWrong ? null : disable.error}
      onConfirm={() => disable.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">Your recovery codes become worthless too. Enter your password to go on.</Typography>
      <PasswordField
        label="Password"
        autoComplete="current-password"
        autoFocus
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        error={isWrong}
        helperText={isWrong ? 'This is not your password' : undefined}
      />
    </ConfirmDialog>
  )
}
