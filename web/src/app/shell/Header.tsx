import Box from '@mui/material/Box'
import IconButton from '@mui/material/IconButton'
import { Menu } from 'lucide-react'
import { ClockToggle } from './ClockToggle'
import { ConnectionState } from './ConnectionState'
import { GlobalSearch } from './GlobalSearch'
import { ProfileMenu } from './ProfileMenu'

export function Header({ onOpenDrawer }: { onOpenDrawer: () => void }) {
  return (
    <Box
      component="header"
      sx={{
        position: 'sticky',
        top: 0,
        zIndex: 1100,
        height: 56,
        flex: 'none',
        display: 'flex',
        alignItems: 'center',
        gap: { xs: 0.75, sm: 1.5 },
        px: { xs: 1, sm: 2.5, xl: 3 },
        bgcolor: 'background.paper',
        borderBottom: '1px solid',
        borderColor: 'divider',
      }}
    >
      <IconButton aria-label="Open the navigation" onClick={onOpenDrawer} sx={{ display: { md: 'none' } }}>
        <Menu size={19} aria-hidden />
      </IconButton>
      <GlobalSearch />
      <Box sx={{ flex: 1 }} />
      <ConnectionState />
      <ClockToggle />
      <ProfileMenu />
    </Box>
  )
}
