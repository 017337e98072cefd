import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useForm, useWatch } from 'react-hook-form'
import { z } from 'zod/mini'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import { renew } from '@/auth/session'
import { showFieldErrors } from '@/components/forms'
import { PasswordField } from '@/components/PasswordField'
import { passwordProblem } from '@/components/passwordRules'
import { PasswordStrength } from '@/components/PasswordStrength'
import { tell } from '@/components/Toasts'

const schema = z
  .object({
    current_password: z.string().check(z.minLength(1, 'Enter your current password')),
    new_password: z
      .string()
      .check(z.refine((password) => passwordProblem(password) === undefined, { error: ({ input }) => passwordProblem(String(input)) })),
    again: z.string(),
  })
  .check(z.refine(({ new_password, again }) => new_password === again, { error: 'The two are not the same', path: ['again'] }))
type Input = z.infer<typeof schema>

const empty: Input = { current_password: '', new_password: '', again: '' }

/** The new password ends every other session of this portal user; this one goes on with a new token. */
export function ChangePasswordForm() {
  const queryClient = useQueryClient()
  const { register, handleSubmit, setError, reset, control, formState } = useForm<Input>({
    resolver: zodResolver(schema),
    defaultValues: empty,
  })
  const typed = useWatch({ control, name: 'new_password' })
  const change = useMutation({
    mutationFn: async ({ current_password, new_password }: Input) => {
      await answer(api.POST('/api/profile/change-password', { body: { current_password, new_password } }))
      await renew()
    },
    onSuccess: () => {
      reset(empty)
      tell('Password changed. You are signed out everywhere else.')
      return queryClient.invalidateQueries({ queryKey: ['profile'] })
    },
    onError: (error) => {
      if (error instanceof Problem && error.error === 'wrong_password')
        setError('current_password', { message: 'This is not your current password' })
      else showFieldErrors(error, setError)
    },
  })
  const { errors } = formState
  const isTold = Object.keys(errors).length > 0
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => void handleSubmit((input) => change.mutate(input))(event)}
      sx={{ display: 'grid', gap: 1.5 }}
    >
      {change.error && !isTold && <Alert severity="error">{change.error.message}</Alert>}
      <PasswordField
        label="Current password"
        autoComplete="current-password"
        {...register('current_password')}
        error={Boolean(errors.current_password)}
        helperText={errors.current_password?.message}
      />
      <PasswordField
        label="New password"
        autoComplete="new-password"
        {...register('new_password')}
        error={Boolean(errors.new_password)}
        helperText={errors.new_password?.message}
      />
      <PasswordStrength password={typed} />
      <PasswordField
        label="New password again"
        autoComplete="new-password"
        {...register('again')}
        error={Boolean(errors.again)}
        helperText={errors.again?.message}
      />
      <Box>
        <Button type="submit" variant="contained" loading={change.isPending}>
          Change password
        </Button>
      </Box>
    </Box>
  )
}
