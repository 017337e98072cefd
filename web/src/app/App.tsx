import CssBaseline from '@mui/material/CssBaseline'
import { ThemeProvider } from '@mui/material/styles'
import { QueryClientProvider } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import { RouterProvider } from 'react-router'
import { createQueryClient } from '@/api/queryClient'
import { subscribe, authState } from '@/auth/session'
import { Toasts } from '@/components/Toasts'
import { useAppearance, useScheme } from '@/preferences/appearance'
import { usePreferences } from '@/preferences/preferences'
import { createPortalTheme } from '@/theme/theme'
import { router } from './router'

const queryClient = createQueryClient()

/** What one person has loaded is not the next one's to see. */
function useForgetAtLogout(): void {
  useEffect(
    () =>
      subscribe(() => {
        if (authState().kind === 'anonymous') queryClient.clear()
      }),
    [],
  )
}

export function App() {
  const { density } = usePreferences()
  const scheme = useScheme()
  const theme = useMemo(() => createPortalTheme(density), [density])
  useAppearance()
  useForgetAtLogout()
  return (
    <ThemeProvider theme={theme} defaultMode={scheme} storageManager={null}>
      <CssBaseline enableColorScheme />
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </ThemeProvider>
  )
}
