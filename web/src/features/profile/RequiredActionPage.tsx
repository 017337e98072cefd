import Box from '@mui/material/Box'
import Button from '@mui/material/Button'
import Typography from '@mui/material/Typography'
import { logout, type RequiredAction } from '@/auth/session'
import { Brand } from '@/components/Brand'
import { Panel } from '@/components/Panel'
import { ChangePasswordForm } from './ChangePasswordForm'
import { EnrolTotp } from './EnrolTotp'

const words: Record<RequiredAction, { title: string; detail: string }> = {
  change_password: { title: 'Choose a new password', detail: 'Somebody else has set your password. Choose one that only you know.' },
  enrol_totp: {
    title: 'Set up two-factor sign-in',
    detail: 'Your role asks for a second factor. Everything else waits until it is set up.',
  },
}

/** Stands before everything else until it is done. */
export function RequiredActionPage({ action }: { action: RequiredAction }) {
  const { title, detail } = words[action]
  return (
    <Box component="main" sx={{ minHeight: '100dvh', display: 'grid', placeItems: 'center', p: 2 }}>
      <title>{`${title} · OpenVPN Telemetry`}</title>
      <Box sx={{ width: '100%', maxWidth: 560, display: 'grid', gap: 2 }}>
        <Brand />
        <Typography variant="h1">{title}</Typography>
        <Typography color="textSecondary">{detail}</Typography>
        <Panel>{action === 'change_password' ? <ChangePasswordForm /> : <EnrolTotp />}</Panel>
        <Box>
          <Button color="secondary" onClick={() => void logout().catch(() => undefined)}>
            Sign out
          </Button>
        </Box>
      </Box>
    </Box>
  )
}
