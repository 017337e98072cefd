import { useSyncExternalStore } from 'react'

/** One timer for everything on the page that shows an age. */
const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(tick, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function tick(): void {
  now = Date.now()
  for (const listener of listeners) listener()
}

/** Between two ticks of a sleeping timer a fresh component must not see a time from before its own data. */
function current(): number {
  if (listeners.size === 0) now = Date.now()
  return now
}

/** The current time in milliseconds, rounded down to `step`: the component renders again at each step only. */
export function useNow(step = 10_000): number {
  return useSyncExternalStore(subscribe, () => Math.floor(current() / step) * step)
}

/** What `read` makes of the current time: the component renders again only when that changes. `T` is a plain value. */
export function useOfNow<T extends string | number | boolean | undefined>(read: (now: number) => T): T {
  return useSyncExternalStore(subscribe, () => read(current()))
}
