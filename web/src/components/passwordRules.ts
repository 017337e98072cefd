/** The rules of every portal password, as the service has them; that it is not among the commonest only the service tells. */
export const passwordRules: { text: string; holds: (password: string) => boolean }[] = [
  { text: 'at least 8 characters', holds: (password) => password.length >= 8 },
  { text: 'an upper-case letter', holds: (password) => /\p{Lu}/u.test(password) },
  { text: 'a lower-case letter', holds: (password) => /\p{Ll}/u.test(password) },
  { text: 'a digit', holds: (password) => /\p{Nd}/u.test(password) },
  { text: 'a special character', holds: (password) => /[^\p{L}\p{Nd}\s]/u.test(password) },
]

/** What is missing, for a form; undefined when nothing is. */
export function passwordProblem(password: string): string | undefined {
  const missing = passwordRules.filter((rule) => !rule.holds(password)).map((rule) => rule.text)
  return missing.length > 0 ? `It needs ${missing.join(', ')}` : undefined
}

/** 0 to 4: the rules and, beyond them, length and variety. Only a hint. */
export function passwordStrength(password: string): number {
  if (password === '') return 0
  const kept = passwordRules.filter((rule) => rule.holds(password)).length
  if (kept < passwordRules.length) return Math.min(1, kept)
  const variety = new Set(password).size
  if (password.length >= 16 && variety >= 10) return 4
  return password.length >= 12 && variety >= 8 ? 3 : 2
}
