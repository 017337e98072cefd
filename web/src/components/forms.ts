import type { FieldValues, Path, UseFormSetError } from 'react-hook-form'
import { fieldMessages } from '@/api/problem'

/** Puts what a service says of single fields beside these. True when there was any. */
export function showFieldErrors<T extends FieldValues>(error: unknown, setError: UseFormSetError<T>): boolean {
  const messages = Object.entries(fieldMessages(error))
  for (const [field, message] of messages) setError(field as Path<T>, { type: 'server', message })
  return messages.length > 0
}
