import Box from '@mui/material/Box'
import Drawer from '@mui/material/Drawer'
import IconButton from '@mui/material/IconButton'
import Tooltip from '@mui/material/Tooltip'
import { PanelLeftClose, PanelLeftOpen } from 'lucide-react'
import { NavLink } from 'react-router'
import { usePortalUser } from '@/auth/useAuth'
import { setPreferences, usePreferences } from '@/preferences/preferences'
import { Brand } from '@/components/Brand'
import { navigationFor, type NavigationItem } from './navigation'

interface SideNavigationProps {
  drawerOpen: boolean
  onCloseDrawer: () => void
}

/** Beside the page on wide screens, narrow if so chosen; over it on small ones. */
export function SideNavigation({ drawerOpen, onCloseDrawer }: SideNavigationProps) {
  const { navigation } = usePreferences()
  const narrow = navigation === 'narrow'
  return (
    <>
      <Box
        sx={{
          display: { xs: 'none', md: 'block' },
          width: narrow ? 60 : 216,
          flex: 'none',
          borderRight: '1px solid',
          borderColor: 'divider',
          bgcolor: 'background.paper',
        }}
      >
        <Box sx={{ position: 'sticky', top: 0, height: '100dvh', display: 'flex', flexDirection: 'column' }}>
          <Items narrow={narrow} />
          <Box sx={{ p: 1, display: 'flex', justifyContent: narrow ? 'center' : 'flex-end' }}>
            <Tooltip title={narrow ? 'Widen the navigation' : 'Narrow the navigation'} placement="right">
              <IconButton
                aria-label={narrow ? 'Widen the navigation' : 'Narrow the navigation'}
                onClick={() => setPreferences({ navigation: narrow ? 'wide' : 'narrow' })}
              >
                {narrow ? <PanelLeftOpen size={17} aria-hidden /> : <PanelLeftClose size={17} aria-hidden />}
              </IconButton>
            </Tooltip>
          </Box>
        </Box>
      </Box>
      <Drawer open={drawerOpen} onClose={onCloseDrawer} sx={{ display: { md: 'none' } }} slotProps={{ paper: { sx: { width: 248 } } }}>
        <Box onClick={onCloseDrawer}>
          <Items narrow={false} />
        </Box>
      </Drawer>
    </>
  )
}

function Items({ narrow }: { narrow: boolean }) {
  const { roles } = usePortalUser()
  return (
    <>
      <Box
        sx={{
          height: 56,
          px: narrow ? 0 : 2,
          display: 'flex',
          alignItems: 'center',
          justifyContent: narrow ? 'center' : 'flex-start',
          flex: 'none',
        }}
      >
        <Brand withName={!narrow} />
      </Box>
      <Box
        component="nav"
        aria-label="Main"
        sx={{ flex: 1, overflowY: 'auto', px: 1, py: 1, display: 'flex', flexDirection: 'column', gap: '2px' }}
      >
        {navigationFor(roles)
          .filter((item) => !item.hidden)
          .map((item) => (
            <Item key={item.path} item={item} narrow={narrow} />
          ))}
      </Box>
    </>
  )
}

function Item({ item: { title, path, icon: Icon }, narrow }: { item: NavigationItem; narrow: boolean }) {
  return (
    <Tooltip title={narrow ? title : ''} placement="right">
      <Box
        component={NavLink}
        to={path}
        aria-label={narrow ? title : undefined}
        sx={{
          display: 'flex',
          alignItems: 'center',
          gap: 1.25,
          justifyContent: narrow ? 'center' : 'flex-start',
          height: 36,
          px: narrow ? 0 : 1.25,
          borderRadius: 1,
          color: 'text.secondary',
          textDecoration: 'none',
          fontSize: '0.8438rem',
          fontWeight: 520,
          flex: 'none',
          '&:hover': { bgcolor: 'action.hover', color: 'text.primary' },
          '&.active': { bgcolor: 'ovt.primarySoft', color: 'primary.main', fontWeight: 600 },
        }}
      >
        <Icon size={17} strokeWidth={1.9} aria-hidden />
        {!narrow && title}
      </Box>
    </Tooltip>
  )
}
