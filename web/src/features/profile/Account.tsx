import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import TextField from '@mui/material/TextField'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useForm } from 'react-hook-form'
import { z } from 'zod/mini'
import { answer, api } from '@/api/client'
import type { Profile } from '@/api/types'
import { Facts } from '@/components/Facts'
import { showFieldErrors } from '@/components/forms'
import { Panel } from '@/components/Panel'
import { RoleChips } from '@/components/RoleChips'
import { Time } from '@/components/Time'
import { tell } from '@/components/Toasts'
import { profileQuery } from './queries'

const schema = z.object({ email: z.string().check(z.trim(), z.email('This is no e-mail address')) })
type Input = z.infer<typeof schema>

export function Account({ profile }: { profile: Profile }) {
  return (
    <Panel title="Account">
      <Facts
        facts={[
          { label: 'Username', value: profile.username },
          { label: 'Roles', value: <RoleChips roles={profile.roles} /> },
          { label: 'Last sign-in', value: <Time at={profile.last_portal_login_at} /> },
          { label: 'Password changed', value: <Time at={profile.password_changed_at} /> },
        ]}
      />
      <EmailForm profile={profile} />
    </Panel>
  )
}

function EmailForm({ profile }: { profile: Profile }) {
  const queryClient = useQueryClient()
  const { register, handleSubmit, setError, formState } = useForm<Input>({
    resolver: zodResolver(schema),
    values: { email: profile.email ?? '' },
    resetOptions: { keepDirtyValues: true },
  })
  const save = useMutation({
    mutationFn: ({ email }: Input) => answer(api.PUT('/api/profile', { body: { email, version: profile.version } })),
    onSuccess: (saved) => {
      queryClient.setQueryData(profileQuery.queryKey, saved)
      tell('E-mail address saved')
    },
    onError: (error) => void showFieldErrors(error, setError),
  })
  const { errors, isDirty } = formState
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => void handleSubmit((input) => save.mutate(input))(event)}
      sx={{ mt: 2, display: 'grid', gap: 1.5 }}
    >
      {save.error && !errors.email && <Alert severity="error">{save.error.message}</Alert>}
      <Box sx={{ display: 'flex', gap: 1, alignItems: 'flex-start' }}>
        <TextField
          label="E-mail address"
          type="email"
          autoComplete="email"
          fullWidth
          {...register('email')}
          error={Boolean(errors.email)}
          helperText={errors.email?.message}
          slotProps={{ inputLabel: { shrink: true } }}
        />
        <Button type="submit" variant="outlined" disabled={!isDirty} loading={save.isPending} sx={{ minHeight: 38 }}>
          Save
        </Button>
      </Box>
    </Box>
  )
}
