import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import FormControlLabel from '@mui/material/FormControlLabel'
import Switch from '@mui/material/Switch'
import TextField from '@mui/material/TextField'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Controller, useForm } from 'react-hook-form'
import { useParams } from 'react-router'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import type { PortalAccount } from '@/api/types'
import { usePortalUser } from '@/auth/useAuth'
import { Facts } from '@/components/Facts'
import { showFieldErrors } from '@/components/forms'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { ErrorState } from '@/components/states/ErrorState'
import { LoadingLines } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { Time } from '@/components/Time'
import { tell } from '@/components/Toasts'
import { AccountActions } from './AccountActions'
import { portalUserQuery } from './queries'
import { RoleSelector } from './RoleSelector'
import { editSchema, type EditInput } from './schema'

const crumbs = [{ label: 'Portal users', to: '/portal-users' }]

export function PortalUserPage() {
  const id = Number(useParams().id)
  const query = useQuery({ ...portalUserQuery(id), enabled: Number.isSafeInteger(id) })
  return (
    <Page title={query.data?.username ?? 'Portal user'} crumbs={crumbs}>
      {Number.isSafeInteger(id) ? (
        <QueryState query={query} what="the portal user" loading={<LoadingLines lines={8} />}>
          {(user) => (
            <Box
              sx={{
                display: 'grid',
                gap: 2,
                gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1.2fr) minmax(0, 1fr)' },
                alignItems: 'start',
                maxWidth: 1300,
              }}
            >
              <Panel title="Account">
                <EditForm user={user} />
              </Panel>
              <Box sx={{ display: 'grid', gap: 2 }}>
                <AccountFacts user={user} />
                <AccountActions user={user} />
              </Box>
            </Box>
          )}
        </QueryState>
      ) : (
        <ErrorState error={new Problem(404, { detail: 'There is no portal user with this id.' })} />
      )}
    </Page>
  )
}

function AccountFacts({ user }: { user: PortalAccount }) {
  return (
    <Panel title="Sign-in">
      <Facts
        facts={[
          { label: 'Last sign-in', value: user.last_portal_login_at ? <Time at={user.last_portal_login_at} /> : 'never' },
          { label: 'Password changed', value: <Time at={user.password_changed_at} /> },
          { label: 'Two-factor sign-in', value: user.totp_enabled ? 'on' : 'off' },
          { label: 'Must choose another password', value: user.must_change_password ? 'yes' : 'no' },
          { label: 'Created', value: <Time at={user.created_at} /> },
          { label: 'Changed', value: <Time at={user.updated_at} /> },
        ]}
      />
    </Panel>
  )
}

/** What the service says when an edit would lock everybody out, or has been overtaken. */
const refusals: Record<string, string> = {
  version_conflict: 'Somebody else has changed this portal user meanwhile. Load it again to see what; what you typed stays until then.',
  last_admin: 'This is the last active admin: it must stay active and an admin.',
  own_account: 'You cannot deactivate yourself or take your own admin role away.',
}

function EditForm({ user }: { user: PortalAccount }) {
  const queryClient = useQueryClient()
  const isSelf = usePortalUser().id === user.id
  const values: EditInput = { email: user.email ?? '', role_ids: user.roles.map((role) => role.id), is_active: user.is_active }
  const { register, handleSubmit, setError, reset, control, formState } = useForm<EditInput>({
    resolver: zodResolver(editSchema),
    defaultValues: values,
  })
  const reload = async () => {
    const fresh = await queryClient.fetchQuery({ ...portalUserQuery(user.id), staleTime: 0 })
    reset({ email: fresh.email ?? '', role_ids: fresh.roles.map((role) => role.id), is_active: fresh.is_active })
    save.reset()
  }
  const save = useMutation({
    mutationFn: (input: EditInput) =>
      answer(api.PUT('/api/portal-users/{id}', { params: { path: { id: user.id } }, body: { ...input, version: user.version } })),
    onSuccess: async (saved) => {
      queryClient.setQueryData(portalUserQuery(user.id).queryKey, saved)
      reset({ email: saved.email ?? '', role_ids: saved.roles.map((role) => role.id), is_active: saved.is_active })
      tell('Saved')
      await queryClient.invalidateQueries({ queryKey: ['portal-users', 'list'] })
    },
    onError: (error) => void showFieldErrors(error, setError),
  })
  const { errors, isDirty } = formState
  const code = save.error instanceof Problem ? save.error.error : ''
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => void handleSubmit((input) => save.mutate(input))(event)}
      sx={{ display: 'grid', gap: 2 }}
    >
      {save.error && Object.keys(errors).length === 0 && (
        <Alert
          severity="error"
          action={
            code === 'version_conflict' && (
              <Button color="inherit" onClick={() => void reload()}>
                Load again
              </Button>
            )
          }
        >
          {refusals[code] ?? save.error.message}
        </Alert>
      )}
      <TextField label="Username" value={user.username} disabled />
      <TextField
        label="E-mail address"
        type="email"
        {...register('email')}
        error={Boolean(errors.email)}
        helperText={errors.email?.message}
        slotProps={{ inputLabel: { shrink: true } }}
      />
      <Controller
        control={control}
        name="role_ids"
        render={({ field }) => <RoleSelector value={field.value} onChange={field.onChange} error={errors.role_ids?.message} />}
      />
      <Controller
        control={control}
        name="is_active"
        render={({ field }) => (
          <FormControlLabel
            disabled={isSelf}
            control={
              <Switch size="small" checked={field.value} onChange={(event) => field.onChange(event.target.checked)} sx={{ mx: 1 }} />
            }
            label={isSelf ? 'May sign in (you cannot deactivate yourself)' : 'May sign in'}
            slotProps={{ typography: { variant: 'body2' } }}
          />
        )}
      />
      <Box sx={{ display: 'flex', gap: 1 }}>
        <Button type="submit" variant="contained" disabled={!isDirty} loading={save.isPending}>
          Save
        </Button>
        <Button color="secondary" disabled={!isDirty} onClick={() => reset(values)}>
          Undo
        </Button>
      </Box>
    </Box>
  )
}
