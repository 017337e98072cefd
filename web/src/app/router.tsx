import { createBrowserRouter } from 'react-router'
import { NotFoundPage } from './NotFoundPage'
import { pageRoutes } from './routes'
import { RouteError } from './RouteError'
import { Shell } from './shell/Shell'
import { Starting } from './Starting'

export const router = createBrowserRouter([
  {
    ErrorBoundary: RouteError,
    HydrateFallback: Starting,
    children: [
      { path: '/', lazy: async () => ({ Component: (await import('@/features/login/LoginPage')).LoginPage }) },
      {
        Component: Shell,
        children: [{ ErrorBoundary: RouteError, children: [...pageRoutes, { path: '*', Component: NotFoundPage }] }],
      },
    ],
  },
])
