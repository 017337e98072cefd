import { ThemeProvider } from '@mui/material/styles'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import type { ReactNode } from 'react'
import { createMemoryRouter, RouterProvider, useLocation } from 'react-router'
import { LiveContext } from '@/realtime/hooks'
import { LiveStore } from '@/realtime/store'
import { createPortalTheme } from '@/theme/theme'

const theme = createPortalTheme('comfortable')

function Address() {
  const { pathname, search } = useLocation()
  return <output data-testid="address">{pathname + search}</output>
}

/** Renders inside what every page has around it; the current address is shown under the test id `address`. */
export function renderPage(page: ReactNode, { at = '/', store = new LiveStore() }: { at?: string; store?: LiveStore } = {}) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  const router = createMemoryRouter(
    [
      {
        path: '*',
        element: (
          <>
            {page}
            <Address />
          </>
        ),
      },
    ],
    { initialEntries: [at] },
  )
  return render(
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={queryClient}>
        <LiveContext value={store}>
          <RouterProvider router={router} />
        </LiveContext>
      </QueryClientProvider>
    </ThemeProvider>,
  )
}
