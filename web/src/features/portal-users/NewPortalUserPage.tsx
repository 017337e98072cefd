import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import FormControlLabel from '@mui/material/FormControlLabel'
import Switch from '@mui/material/Switch'
import TextField from '@mui/material/TextField'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Controller, useForm, useWatch } from 'react-hook-form'
import { Link, useNavigate } from 'react-router'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import { showFieldErrors } from '@/components/forms'
import { Page } from '@/components/Page'
import { Panel } from '@/components/Panel'
import { PasswordField } from '@/components/PasswordField'
import { PasswordStrength } from '@/components/PasswordStrength'
import { tell } from '@/components/Toasts'
import { RoleSelector } from './RoleSelector'
import { createSchema, type CreateInput } from './schema'

const empty: CreateInput = { username: '', email: '', password: '', again: '', role_ids: [], is_active: true, must_change_password: true }

export function NewPortalUserPage() {
  const navigate = useNavigate()
  const queryClient = useQueryClient()
  const { register, handleSubmit, setError, control, formState } = useForm<CreateInput>({
    resolver: zodResolver(createSchema),
    defaultValues: empty,
  })
  const typed = useWatch({ control, name: 'password' })
  const create = useMutation({
    mutationFn: ({ again: _again, ...body }: CreateInput) => answer(api.POST('/api/portal-users', { body })),
    onSuccess: async (user) => {
      tell(`${user.username} may sign in now`)
      await queryClient.invalidateQueries({ queryKey: ['portal-users'] })
      await navigate('/portal-users')
    },
    onError: (error) => {
      if (error instanceof Problem && error.error === 'username_taken') setError('username', { message: 'This username is taken' })
      else showFieldErrors(error, setError)
    },
  })
  const { errors } = formState
  return (
    <Page title="New portal user" crumbs={[{ label: 'Portal users', to: '/portal-users' }]}>
      <Panel sx={{ maxWidth: 640 }}>
        <Box
          component="form"
          noValidate
          onSubmit={(event) => void handleSubmit((input) => create.mutate(input))(event)}
          sx={{ display: 'grid', gap: 2 }}
        >
          {create.error && Object.keys(errors).length === 0 && <Alert severity="error">{create.error.message}</Alert>}
          <TextField
            label="Username"
            autoComplete="off"
            spellCheck={false}
            {...register('username')}
            error={Boolean(errors.username)}
            helperText={errors.username?.message ?? '3 to 50 letters, digits and underscores; it stays'}
          />
          <TextField
            label="E-mail address"
            type="email"
            autoComplete="off"
            {...register('email')}
            error={Boolean(errors.email)}
            helperText={errors.email?.message}
          />
          <PasswordField
            label="Password"
            autoComplete="new-password"
            {...register('password')}
            error={Boolean(errors.password)}
            helperText={errors.password?.message}
          />
          <PasswordStrength password={typed} />
          <PasswordField
            label="Password again"
            autoComplete="new-password"
            {...register('again')}
            error={Boolean(errors.again)}
            helperText={errors.again?.message}
          />
          <Controller
            control={control}
            name="role_ids"
            render={({ field }) => <RoleSelector value={field.value} onChange={field.onChange} error={errors.role_ids?.message} />}
          />
          <Toggle control={control} name="must_change_password" label="Must choose another password at the first sign-in" />
          <Toggle control={control} name="is_active" label="May sign in" />
          <Box sx={{ display: 'flex', gap: 1 }}>
            <Button type="submit" variant="contained" loading={create.isPending}>
              Create
            </Button>
            <Button component={Link} to="/portal-users" color="secondary">
              Cancel
            </Button>
          </Box>
        </Box>
      </Panel>
    </Page>
  )
}

type FormControlOf = ReturnType<typeof useForm<CreateInput>>['control']

function Toggle({ control, name, label }: { control: FormControlOf; name: 'must_change_password' | 'is_active'; label: string }) {
  return (
    <Controller
      control={control}
      name={name}
      render={({ field }) => (
        <FormControlLabel
          control={<Switch size="small" checked={field.value} onChange={(event) => field.onChange(event.target.checked)} sx={{ mx: 1 }} />}
          label={label}
          slotProps={{ typography: { variant: 'body2' } }}
        />
      )}
    />
  )
}
