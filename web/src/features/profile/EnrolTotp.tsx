import Alert from '@mui/material/Alert'
import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import TextField from '@mui/material/TextField'
import Typography from '@mui/material/Typography'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { answer, api } from '@/api/client'
import { Problem } from '@/api/problem'
import { renew } from '@/auth/session'
import { Mono } from '@/components/Mono'
import { LoadingBlock } from '@/components/states/Loading'
import { QueryState } from '@/components/states/QueryState'
import { RecoveryCodes } from './RecoveryCodes'

/** Scan, confirm with a code, keep the recovery codes. Only the confirmation turns it on. Without `onDone` there is no way around. */
export function EnrolTotp({ onDone }: { onDone?: () => void }) {
  const queryClient = useQueryClient()
  const [codes, setCodes] = useState<string[]>()
  const enrolment = useQuery({
    queryKey: ['profile', 'totp-enrolment'],
    queryFn: () => answer(api.POST('/api/profile/totp')),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
  const finish = async () => {
    await renew()
    await queryClient.invalidateQueries({ queryKey: ['profile'] })
    onDone?.()
  }
  if (codes) return <RecoveryCodes codes={codes} onDone={() => void finish()} />
  return (
    <QueryState query={enrolment} what="the key" loading={<LoadingBlock height={200} />}>
      {({ secret, qr_svg }) => (
        <Box sx={{ display: 'grid', gap: 2.5, gridTemplateColumns: { xs: '1fr', sm: 'auto minmax(0, 1fr)' }, alignItems: 'start' }}>
          <Box
            component="img"
            alt="QR code for an authenticator app"
            src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(qr_svg)}`}
            sx={{ width: 176, height: 176, bgcolor: '#fff', p: 1, borderRadius: 1, border: '1px solid', borderColor: 'divider' }}
          />
          <Box sx={{ display: 'grid', gap: 1.5 }}>
            <Typography variant="body2">Scan this with an authenticator app, or type the key in:</Typography>
            <Mono text={secret} copy="key" />
            <ConfirmForm onConfirmed={setCodes} {...(onDone && { onCancel: onDone })} />
          </Box>
        </Box>
      )}
    </QueryState>
  )
}

function ConfirmForm({ onConfirmed, onCancel }: { onConfirmed: (codes: string[]) => void; onCancel?: () => void }) {
  const [code, setCode] = useState('')
  const confirm = useMutation({
    mutationFn: () => answer(api.POST('/api/profile/totp/confirm', { body: { code: code.replaceAll(' ', '') } })),
    onSuccess: ({ recovery_codes }) => onConfirmed(recovery_codes),
  })
  const isWrong = confirm.error instanceof Problem && confirm.error.error === 'wrong_code'
  return (
    <Box
      component="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        confirm.mutate()
      }}
      sx={{ display: 'grid', gap: 1.5 }}
    >
      {confirm.error && !isWrong && <Alert severity="error">{confirm.error.message}</Alert>}
      <TextField
        label="Code that it shows"
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.target.value)}
        error={isWrong}
        helperText={isWrong ? 'This code is not right; wait for the next one' : '6 digits'}
        slotProps={{ htmlInput: { inputMode: 'numeric', maxLength: 9, className: 'tabular' } }}
      />
      <Box sx={{ display: 'flex', gap: 1 }}>
        <Button type="submit" variant="contained" disabled={!/^\d{3} ?\d{3}$/.test(code.trim())} loading={confirm.isPending}>
          Turn on
        </Button>
        {onCancel && (
          <Button color="secondary" onClick={onCancel}>
            Cancel
          </Button>
        )}
      </Box>
    </Box>
  )
}
