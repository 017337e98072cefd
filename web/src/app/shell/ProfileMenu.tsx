import Box from '@mui/material/Box'
import ButtonBase from '@mui/material/ButtonBase'
import Divider from '@mui/material/Divider'
import Menu from '@mui/material/Menu'
import MenuItem from '@mui/material/MenuItem'
import ToggleButton from '@mui/material/ToggleButton'
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup'
import { LogOut, Settings, UserRound } from 'lucide-react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { logout } from '@/auth/session'
import { usePortalUser } from '@/auth/useAuth'
import { tell } from '@/components/Toasts'
import { setPreferences, usePreferences, type Preferences } from '@/preferences/preferences'

export function ProfileMenu() {
  const user = usePortalUser()
  const navigate = useNavigate()
  const [anchor, setAnchor] = useState<HTMLElement | null>(null)
  const close = () => setAnchor(null)
  const go = (path: string) => {
    close()
    void navigate(path)
  }
  const signOut = () => {
    close()
    logout().catch(() =>
      tell('Signed out here. The server could not be told; change your password if this is not your computer.', 'warning'),
    )
  }
  return (
    <>
      <ButtonBase
        aria-label={`Account of ${user.username}`}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{
          '&::before': { content: `"${user.username.slice(0, 2).toUpperCase()}"` },
          width: 32,
          height: 32,
          borderRadius: '50%',
          bgcolor: 'ovt.primarySoft',
          color: 'primary.main',
          fontWeight: 650,
          fontSize: '0.8125rem',
          flex: 'none',
        }}
      ></ButtonBase>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={close}
        slotProps={{ paper: { sx: { width: 252 } } }}
        transformOrigin={{ horizontal: 'right', vertical: 'top' }}
        anchorOrigin={{ horizontal: 'right', vertical: 'bottom' }}
      >
        <Box component="li" role="none" sx={{ px: 2, py: 1 }}>
          <Box sx={{ fontWeight: 620 }}>{user.username}</Box>
          <Box sx={{ color: 'text.secondary', fontSize: '0.75rem' }}>{user.roles.join(', ')}</Box>
        </Box>
        <ThemeChoice />
        <Divider component="li" />
        <MenuItem onClick={() => go('/profile')}>
          <Icon of={UserRound} /> Profile
        </MenuItem>
        <MenuItem onClick={() => go('/settings')}>
          <Icon of={Settings} /> Settings
        </MenuItem>
        <Divider component="li" />
        <MenuItem onClick={signOut}>
          <Icon of={LogOut} /> Sign out
        </MenuItem>
      </Menu>
    </>
  )
}

function Icon({ of: Of }: { of: typeof LogOut }) {
  return (
    <Box component="span" sx={{ display: 'inline-flex', mr: 1.25, color: 'text.secondary' }}>
      <Of size={16} aria-hidden />
    </Box>
  )
}

function ThemeChoice() {
  const { theme } = usePreferences()
  return (
    <Box component="li" role="none" sx={{ px: 2, pb: 1 }}>
      <ToggleButtonGroup
        exclusive
        fullWidth
        size="small"
        aria-label="Theme"
        value={theme}
        onChange={(_event, value: Preferences['theme'] | null) => value && setPreferences({ theme: value })}
      >
        {(['light', 'dark', 'auto'] as const).map((choice) => (
          <ToggleButton key={choice} value={choice} sx={{ py: 0.25, textTransform: 'capitalize', fontSize: '0.75rem' }}>
            {choice}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </Box>
  )
}
