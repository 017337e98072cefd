import Box from '@mui/material/Box'
import Alert from '@mui/material/Alert'
import { useState } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { returnTo } from '@/auth/returnTo'
import { Brand } from '@/components/Brand'
import { useAuthState } from '@/auth/useAuth'
import { preferences } from '@/preferences/preferences'
import { CredentialsForm } from './CredentialsForm'
import { OtpForm } from './OtpForm'
import type { CredentialsInput } from './schema'

/** Username and password; then, where it is set up, the one-time code. */
export function LoginPage() {
  const state = useAuthState()
  const [search] = useSearchParams()
  const [waiting, setWaiting] = useState<CredentialsInput>()
  if (state.kind === 'signed-in') return <Navigate to={returnTo(search, preferences().startPage)} replace />
  return (
    <Box sx={{ minHeight: '100dvh', display: 'grid', gridTemplateRows: '1fr auto', px: 2 }}>
      <title>Sign in · OpenVPN Telemetry</title>
      <Box component="main" sx={{ placeSelf: 'center', width: '100%', maxWidth: 380, py: 4 }}>
        <Box sx={{ display: 'flex', justifyContent: 'center', mb: 3 }}>
          <Brand size={36} />
        </Box>
        <Box
          sx={{
            bgcolor: 'background.paper',
            border: '1px solid',
            borderColor: 'divider',
            borderRadius: 1.5,
            boxShadow: 'var(--ovt-palette-ovt-shadow)',
            p: { xs: 2.5, sm: 3.5 },
          }}
        >
          {search.has('expired') && !waiting && (
            <Alert severity="info" sx={{ mb: 2 }}>
              You were signed out. Sign in to go on where you were.
            </Alert>
          )}
          {waiting ? (
            <OtpForm credentials={waiting} onBack={() => setWaiting(undefined)} />
          ) : (
            <CredentialsForm onOtpRequired={setWaiting} />
          )}
        </Box>
      </Box>
      <Box component="footer" sx={{ textAlign: 'center', color: 'text.secondary', fontSize: '0.75rem', pb: 2 }}>
        Access is logged.
      </Box>
    </Box>
  )
}
