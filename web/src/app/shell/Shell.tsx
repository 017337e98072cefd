import Box from '@mui/material/Box'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { Navigate, Outlet, ScrollRestoration, useLocation, useNavigation } from 'react-router'
import { start } from '@/auth/session'
import { useAuthState } from '@/auth/useAuth'
import { ErrorState } from '@/components/states/ErrorState'
import { RealtimeProvider } from '@/realtime/RealtimeProvider'
import { loginPath } from '@/auth/returnTo'
import { Starting } from '../Starting'
import { Header } from './Header'
import { SideNavigation } from './SideNavigation'

/** Hardly anybody ever sees it. */
const RequiredActionPage = lazy(async () => ({ default: (await import('@/features/profile/RequiredActionPage')).RequiredActionPage }))

/** Around every page behind the login: navigation, header, live connection. */
export function Shell() {
  const state = useAuthState()
  const location = useLocation()
  if (state.kind === 'starting') return <Starting />
  if (state.kind === 'unreachable') return <ErrorState error={state.error} what="the portal" onRetry={() => void start()} />
  if (state.kind === 'anonymous') return <Navigate to={loginPath(location, state.expired)} replace />
  const { requiredAction } = state.user
  if (requiredAction) {
    return (
      <Suspense fallback={<Starting />}>
        <RequiredActionPage action={requiredAction} />
      </Suspense>
    )
  }
  return (
    <RealtimeProvider>
      <Frame />
    </RealtimeProvider>
  )
}

function Frame() {
  const [drawerOpen, setDrawerOpen] = useState(false)
  const main = useFocusAfterNavigation()
  return (
    <Box sx={{ display: 'flex', minHeight: '100dvh' }}>
      <SkipLink />
      <RouteProgress />
      <SideNavigation drawerOpen={drawerOpen} onCloseDrawer={() => setDrawerOpen(false)} />
      <Box sx={{ flex: 1, minWidth: 0, display: 'flex', flexDirection: 'column' }}>
        <Header onOpenDrawer={() => setDrawerOpen(true)} />
        <Box
          component="main"
          id="main"
          ref={main}
          tabIndex={-1}
          sx={{ flex: 1, px: { xs: 1.5, sm: 2.5, xl: 3 }, py: 2, minWidth: 0, outline: 'none !important' }}
        >
          <Outlet />
        </Box>
      </Box>
      <ScrollRestoration />
    </Box>
  )
}

/** After a change of page the keyboard and screen readers go on at its content. */
function useFocusAfterNavigation() {
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  const last = useRef(pathname)
  useEffect(() => {
    if (last.current === pathname) return
    last.current = pathname
    main.current?.focus({ preventScroll: true })
  }, [pathname])
  return main
}

function SkipLink() {
  return (
    <Box
      component="a"
      href="#main"
      sx={{
        position: 'fixed',
        top: -60,
        left: 8,
        zIndex: 2000,
        px: 2,
        py: 1,
        bgcolor: 'primary.main',
        color: 'primary.contrastText',
        borderRadius: 1,
        '&:focus': { top: 8 },
      }}
    >
      Skip to content
    </Box>
  )
}

function RouteProgress() {
  const isLoading = useNavigation().state === 'loading'
  if (!isLoading) return null
  return (
    <Box
      role="progressbar"
      aria-label="Loading the page"
      sx={{
        position: 'fixed',
        insetInline: 0,
        top: 0,
        height: 2,
        zIndex: 2000,
        bgcolor: 'primary.main',
        transformOrigin: '0 0',
        animation: 'ovt-route 1.2s ease-out forwards',
        '@keyframes ovt-route': { from: { transform: 'scaleX(0.05)' }, to: { transform: 'scaleX(0.9)' } },
      }}
    />
  )
}
