import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Checkbox from '@mui/material/Checkbox'
import FormControlLabel from '@mui/material/FormControlLabel'
import TextField from '@mui/material/TextField'
import Typography from '@mui/material/Typography'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { login } from '@/auth/session'
import { PasswordField } from '@/components/PasswordField'
import { failureText, isOtpRequired } from './failure'
import { credentialsSchema, type CredentialsInput } from './schema'

export function CredentialsForm({ onOtpRequired }: { onOtpRequired: (credentials: CredentialsInput) => void }) {
  const [failure, setFailure] = useState<string>()
  const { register, handleSubmit, formState } = useForm<CredentialsInput>({
    resolver: zodResolver(credentialsSchema),
    defaultValues: { username: '', password: '', remember_me: false },
  })
  const { errors, isSubmitting } = formState
  const submit = handleSubmit(async (credentials) => {
    setFailure(undefined)
    try {
      await login(credentials)
    } catch (error) {
      if (isOtpRequired(error)) onOtpRequired(credentials)
      else setFailure(failureText(error))
    }
  })
  return (
    <Box component="form" noValidate onSubmit={(event) => void submit(event)} sx={{ display: 'grid', gap: 2 }}>
      <Typography variant="h1" sx={{ fontSize: '1.2rem' }}>
        Sign in
      </Typography>
      {failure && <Alert severity="error">{failure}</Alert>}
      <TextField
        label="Username"
        autoComplete="username"
        autoFocus
        autoCapitalize="none"
        spellCheck={false}
        size="medium"
        {...register('username')}
        error={Boolean(errors.username)}
        helperText={errors.username?.message}
      />
      <PasswordField
        label="Password"
        autoComplete="current-password"
        size="medium"
        {...register('password')}
        error={Boolean(errors.password)}
        helperText={errors.password?.message}
      />
      <FormControlLabel
        control={<Checkbox size="small" {...register('remember_me')} />}
        label="Remember me on this computer"
        slotProps={{ typography: { variant: 'body2' } }}
      />
      <Button type="submit" variant="contained" loading={isSubmitting} sx={{ minHeight: 40 }}>
        Sign in
      </Button>
    </Box>
  )
}
