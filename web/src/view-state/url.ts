import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'

/** How one part of a view is written into the URL. What equals the default is left out, so that links stay short. */
export interface Parameter<T> {
  read(values: string[]): T
  write(value: T): string[]
}

export function text(fallback = ''): Parameter<string> {
  return { read: ([value]) => value ?? fallback, write: (value) => (value === fallback ? [] : [value]) }
}

export function optionalText(): Parameter<string | undefined> {
  return { read: ([value]) => value || undefined, write: (value) => (value ? [value] : []) }
}

export function integer(fallback: number, minimum = 1): Parameter<number> {
  return {
    read: ([value]) => {
      const parsed = Number.parseInt(value ?? '', 10)
      return Number.isSafeInteger(parsed) && parsed >= minimum ? parsed : fallback
    },
    write: (value) => (value === fallback ? [] : [String(value)]),
  }
}

export function oneOf<const T extends string>(allowed: readonly T[], fallback: T): Parameter<T> {
  return {
    read: ([value]) => allowed.find((one) => one === value) ?? fallback,
    write: (value) => (value === fallback ? [] : [value]),
  }
}

export function optionalOneOf<const T extends string>(allowed: readonly T[]): Parameter<T | undefined> {
  return { read: ([value]) => allowed.find((one) => one === value), write: (value) => (value ? [value] : []) }
}

export function someOf<const T extends string>(allowed: readonly T[]): Parameter<T[]> {
  return { read: (values) => allowed.filter((one) => values.includes(one)), write: (value) => value }
}

export function list(): Parameter<string[]> {
  return { read: (values) => values.filter(Boolean), write: (value) => value }
}

export type View = Record<string, Parameter<unknown>>
export type ViewOf<V> = { [K in keyof V]: V[K] extends Parameter<infer T> ? T : never }

export type SetView<V> = (patch: Partial<ViewOf<V>>, options?: { replace?: boolean }) => void

/** Reads a view from search parameters; names it does not know are left alone. */
export function readView<V extends View>(view: V, search: URLSearchParams): ViewOf<V> {
  const entries = Object.entries(view).map(([name, parameter]) => [name, parameter.read(search.getAll(name))])
  return Object.fromEntries(entries) as ViewOf<V>
}

export function writeView<V extends View>(view: V, patch: Partial<ViewOf<V>>, search: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(search)
  for (const [name, value] of Object.entries(patch)) {
    next.delete(name)
    for (const text of view[name]?.write(value) ?? []) next.append(name, text)
  }
  return next
}

/**
 * The part of the URL that describes this view. Setting anything but the page goes back to the first page. `view` must be
 * a constant of the module.
 */
export function useView<V extends View>(view: V): [ViewOf<V>, SetView<V>] {
  const [search, setSearch] = useSearchParams()
  const values = useMemo(() => readView(view, search), [view, search])
  const set = useCallback<SetView<V>>(
    (patch, options) => {
      const whole = 'page' in view && !('page' in patch) ? { ...patch, page: 1 } : patch
      setSearch((before) => writeView(view, whole, before), { replace: options?.replace ?? false })
    },
    [view, setSearch],
  )
  return [values, set]
}

/** Search parameters as the services read them: a list repeats its name, what is absent is left out. */
export function searchOf(parameters: Record<string, string | number | boolean | string[] | undefined>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of [value].flat()) if (one !== undefined) search.append(name, String(one))
  }
  return search.toString()
}
