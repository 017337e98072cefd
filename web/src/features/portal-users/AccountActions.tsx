import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Checkbox from '@mui/material/Checkbox'
import FormControlLabel from '@mui/material/FormControlLabel'
import Typography from '@mui/material/Typography'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { PortalAccount } from '@/api/types'
import { usePortalUser } from '@/auth/useAuth'
import { ConfirmDialog } from '@/components/ConfirmDialog'
import { Mono } from '@/components/Mono'
import { Panel } from '@/components/Panel'
import { TextLink } from '@/components/TextLink'
import { tell } from '@/components/Toasts'

type Dialog = 'reset' | 'sign-out' | 'delete' | undefined

export function AccountActions({ user }: { user: PortalAccount }) {
  const isSelf = usePortalUser().id === user.id
  const [dialog, setDialog] = useState<Dialog>()
  const unlock = useMutation({
    mutationFn: () => answer(api.POST('/api/portal-users/{id}/unlock', { params: { path: { id: user.id } } })),
    onSuccess: () => tell(`${user.username} may try to sign in again`),
    onError: (error) => tell(error.message, 'error'),
  })
  return (
    <Panel title="Actions">
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1 }}>
        <Button variant="outlined" color="secondary" disabled={isSelf} onClick={() => setDialog('reset')}>
          Reset password
        </Button>
        <Button variant="outlined" color="secondary" disabled={isSelf} onClick={() => setDialog('sign-out')}>
          Sign out everywhere
        </Button>
        <Button variant="outlined" color="secondary" loading={unlock.isPending} onClick={() => unlock.mutate()}>
          Unlock
        </Button>
        <Button variant="outlined" color="error" disabled={isSelf} onClick={() => setDialog('delete')}>
          Delete
        </Button>
      </Box>
      {isSelf && (
        <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1 }}>
          This is you: your password, and where you are signed in, are in{' '}
          <TextLink to="/profile" underline="always">
            your profile
          </TextLink>
          . Somebody else has to delete this account.
        </Typography>
      )}
      {dialog === 'reset' && <ResetDialog user={user} onClose={() => setDialog(undefined)} />}
      {dialog === 'sign-out' && <SignOutDialog user={user} onClose={() => setDialog(undefined)} />}
      {dialog === 'delete' && <DeleteDialog user={user} onClose={() => setDialog(undefined)} />}
    </Panel>
  )
}

function ResetDialog({ user, onClose }: { user: PortalAccount; onClose: () => void }) {
  const queryClient = useQueryClient()
  const [disableTotp, setDisableTotp] = useState(false)
  const reset = useMutation({
    mutationFn: () =>
      answer(api.POST('/api/portal-users/{id}/reset-password', { params: { path: { id: user.id } }, body: { disable_totp: disableTotp } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['portal-users'] }),
  })
  const password = reset.data?.temporary_password
  if (password) {
    return (
      <ConfirmDialog open title="Temporary password" confirm="Done" onConfirm={onClose} onClose={onClose}>
        <Alert severity="warning">It is shown this once. {user.username} has to choose another one at the next sign-in.</Alert>
        <Mono text={password} copy="password" />
      </ConfirmDialog>
    )
  }
  return (
    <ConfirmDialog
      open
      title={`Reset the password of ${user.username}`}
      confirm="Reset password"
      danger
      busy={reset.isPending}
      error={reset.error}
      onConfirm={() => reset.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">A temporary password is made and shown to you. Every session of {user.username} ends now.</Typography>
      {user.totp_enabled && (
        <FormControlLabel
          control={<Checkbox size="small" checked={disableTotp} onChange={(event) => setDisableTotp(event.target.checked)} />}
          label="Turn two-factor sign-in off too (the phone is lost)"
          slotProps={{ typography: { variant: 'body2' } }}
        />
      )}
    </ConfirmDialog>
  )
}

function SignOutDialog({ user, onClose }: { user: PortalAccount; onClose: () => void }) {
  const signOut = useMutation({
    mutationFn: () => answer(api.POST('/api/portal-users/{id}/logout-all', { params: { path: { id: user.id } } })),
    onSuccess: () => {
      tell(`${user.username} is signed out everywhere`)
      onClose()
    },
  })
  return (
    <ConfirmDialog
      open
      title={`Sign ${user.username} out everywhere`}
      confirm="Sign out everywhere"
      danger
      busy={signOut.isPending}
      error={signOut.error}
      onConfirm={() => signOut.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        Every browser and program that is signed in as {user.username} is signed out within a second. Signing in again stays possible: to
        prevent that, reset the password or take “May sign in” away.
      </Typography>
    </ConfirmDialog>
  )
}

function DeleteDialog({ user, onClose }: { user: PortalAccount; onClose: () => void }) {
  const navigate = useNavigate()
  const queryClient = useQueryClient()
  const remove = useMutation({
    mutationFn: () => answer(api.DELETE('/api/portal-users/{id}', { params: { path: { id: user.id } } })),
    onSuccess: async () => {
      tell(`${user.username} is deleted`)
      await navigate('/portal-users')
      await queryClient.invalidateQueries({ queryKey: ['portal-users'] })
    },
  })
  const isLastAdmin = remove.error instanceof Problem && remove.error.error === 'last_admin'
  return (
    <ConfirmDialog
      open
      title={`Delete ${user.username}`}
      confirm="Delete"
      danger
      busy={remove.isPending}
      error={isLastAdmin ? new Error('This is the last active admin.') : remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Typography variant="body2">
        {user.username} is signed out at once and cannot sign in again. What the audit log says of this portal user stays.
      </Typography>
    </ConfirmDialog>
  )
}
