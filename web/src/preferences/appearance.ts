import { useEffect, useSyncExternalStore } from 'react'
import { usePreferences } from './preferences'

const darkQuery = '(prefers-color-scheme: dark)'

function subscribe(listener: () => void): () => void {
  const query = matchMedia(darkQuery)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}

export type Scheme = 'light' | 'dark'

/** The scheme in force: the person's choice, or the system's. */
export function useScheme(): Scheme {
  const { theme } = usePreferences()
  const systemIsDark = useSyncExternalStore(subscribe, () => matchMedia(darkQuery).matches)
  if (theme !== 'auto') return theme
  return systemIsDark ? 'dark' : 'light'
}

/** Keeps the root element's attributes, which public/appearance.js set before the first paint. */
export function useAppearance(): void {
  const scheme = useScheme()
  const { density } = usePreferences()
  useEffect(() => {
    document.documentElement.dataset.theme = scheme
    document.documentElement.dataset.density = density
  }, [scheme, density])
}
