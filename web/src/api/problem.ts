/** What a service answered instead of the asked (RFC 9457). `error` is the stable code, `detail` is for people. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly error: string
  readonly title: string
  readonly requestId: string | undefined
  /** Further members of the answer, such as the fields that are not valid. */
  readonly members: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, body: Record<string, unknown>, headers?: Headers) {
    const { detail, error, title, request_id: requestId, type: _type, status: _status, ...members } = body
    super(typeof detail === 'string' ? detail : `The server answered ${status}.`)
    this.status = status
    this.error = typeof error === 'string' ? error : 'unknown'
    this.title = typeof title === 'string' ? title : 'The server could not answer'
    this.requestId = typeof requestId === 'string' ? requestId : (headers?.get('x-request-id') ?? undefined)
    this.members = members
    const retryAfter = Number(headers?.get('retry-after') ?? Number.NaN)
    this.retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined
  }
}

/** The server was not reached at all. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
  constructor(cause?: unknown) {
    super('The server cannot be reached.', { cause })
  }
}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}))
  return new Problem(response.status, typeof body === 'object' && body !== null ? { ...body } : {}, response.headers)
}

/** Worth asking again without anybody changing anything. */
export function isTransient(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && [429, 502, 503, 504].includes(error.status))
}

export function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Problem && error.status === status
}

/** The fields that a service refused (`invalid_fields`), each with what is wrong; empty for any other problem. */
export function fieldMessages(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {}
  const { fields } = error.members
  if (typeof fields !== 'object' || fields === null) return {}
  const texts = Object.entries(fields).map(([name, messages]) => [name, [messages].flat().join('; ')])
  return Object.fromEntries(texts) as Record<string, string>
}
