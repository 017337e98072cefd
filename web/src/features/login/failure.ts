import { Problem, Unreachable } from '@/api/problem'

/** What to tell after a refused login. It never says which part was wrong: the server does not tell either. */
export function failureText(error: unknown): string {
  if (error instanceof Unreachable) return 'The server cannot be reached. Check the network and try again.'
  if (!(error instanceof Problem)) return 'Something went wrong. Try again.'
  if (error.status === 429) return `Too many attempts. Try again in ${waitText(error.retryAfterSeconds)}.`
  if (error.status >= 500) return 'Signing in is not possible at the moment. Try again shortly.'
  return 'The sign-in details are not correct, or the account is locked.'
}

function waitText(seconds: number | undefined): string {
  if (seconds === undefined) return 'a minute'
  return seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`
}

export function isOtpRequired(error: unknown): boolean {
  return error instanceof Problem && error.error === 'otp_required'
}
