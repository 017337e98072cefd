import { zodResolver } from '@hookform/resolvers/zod'
import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import TextField from '@mui/material/TextField'
import Typography from '@mui/material/Typography'
import { useState } from 'react'
import { useForm } from 'react-hook-form'
import { login } from '@/auth/session'
import { failureText } from './failure'
import { otpSchema, type CredentialsInput, type OtpInput } from './schema'

/** The second step, after a right password. */
export function OtpForm({ credentials, onBack }: { credentials: CredentialsInput; onBack: () => void }) {
  const [failure, setFailure] = useState<string>()
  const { register, handleSubmit, formState } = useForm<OtpInput>({ resolver: zodResolver(otpSchema), defaultValues: { otp: '' } })
  const submit = handleSubmit(async ({ otp }) => {
    setFailure(undefined)
    try {
      await login({ ...credentials, otp: otp.replaceAll(' ', '') })
    } catch (error) {
      setFailure(failureText(error))
    }
  })
  return (
    <Box component="form" noValidate onSubmit={(event) => void submit(event)} sx={{ display: 'grid', gap: 2 }}>
      <Typography variant="h1" sx={{ fontSize: '1.2rem' }}>
        One-time code
      </Typography>
      <Typography variant="body2" color="textSecondary">
        Enter the 6 digits that your authenticator app shows, or one of your recovery codes.
      </Typography>
      {failure && <Alert severity="error">{failure}</Alert>}
      <TextField
        label="Code"
        autoFocus
        autoComplete="one-time-code"
        size="medium"
        {...register('otp')}
        error={Boolean(formState.errors.otp)}
        helperText={formState.errors.otp?.message}
        slotProps={{ htmlInput: { inputMode: 'text', spellCheck: false, className: 'tabular' } }}
      />
      <Button type="submit" variant="contained" loading={formState.isSubmitting} sx={{ minHeight: 40 }}>
        Sign in
      </Button>
      <Button color="secondary" onClick={onBack}>
        Back
      </Button>
    </Box>
  )
}
