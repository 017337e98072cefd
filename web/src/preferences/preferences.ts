import { useSyncExternalStore } from 'react'
import { z } from 'zod/mini'

/** What one person likes, on this browser. Views (filters, sort, columns) are not here: they live in the URL. */
const preferencesSchema = z.object({
  theme: z.catch(z.enum(['light', 'dark', 'auto']), 'auto'),
  density: z.catch(z.enum(['comfortable', 'compact']), 'comfortable'),
  clock: z.catch(z.enum(['utc', 'local']), 'utc'),
  /** IANA name; empty: the browser's own. */
  localTimeZone: z.catch(z.string(), ''),
  dateFormat: z.catch(z.enum(['iso', 'dmy', 'mdy']), 'iso'),
  hourCycle: z.catch(z.enum(['24', '12']), '24'),
  startPage: z.catch(z.enum(['/dashboard', '/sessions', '/vpn-users', '/servers']), '/dashboard'),
  /** Seconds between refreshes of lists that the socket does not keep fresh; 0: by hand. */
  refreshSeconds: z.catch(z.union([z.literal(15), z.literal(30), z.literal(60), z.literal(0)]), 30),
  perPage: z.catch(z.union([z.literal(50), z.literal(100), z.literal(200)]), 50),
  navigation: z.catch(z.enum(['wide', 'narrow']), 'wide'),
})

export type Preferences = z.infer<typeof preferencesSchema>

const key = 'ovt.preferences'
const listeners = new Set<() => void>()
let current = read()

function read(): Preferences {
  let stored: unknown = {}
  try {
    stored = JSON.parse(localStorage.getItem(key) ?? '{}')
  } catch {
    // Closed storage or somebody else's text: defaults.
  }
  const parsed = preferencesSchema.safeParse(stored)
  return parsed.success ? parsed.data : preferencesSchema.parse({})
}

export function preferences(): Preferences {
  return current
}

export function setPreferences(patch: Partial<Preferences>): void {
  current = { ...current, ...patch }
  try {
    localStorage.setItem(key, JSON.stringify(current))
  } catch {
    // Closed storage: kept until the tab closes.
  }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  const fromOtherTab = (event: StorageEvent) => {
    if (event.key !== key) return
    current = read()
    listener()
  }
  addEventListener('storage', fromOtherTab)
  return () => {
    listeners.delete(listener)
    removeEventListener('storage', fromOtherTab)
  }
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences)
}
