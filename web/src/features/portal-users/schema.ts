import { z } from 'zod/mini'
import { passwordProblem } from '@/components/passwordRules'

const username = z
  .string()
  .check(
    z.trim(),
    z.minLength(3, 'At least 3 characters'),
    z.maxLength(50, 'At most 50 characters'),
    z.regex(/^\w+$/, 'Letters, digits and underscores only'),
  )
const email = z.string().check(z.trim(), z.email('This is no e-mail address'))
const roleIds = z.array(z.number()).check(z.minLength(1, 'Choose at least one role'))
const newPassword = z
  .string()
  .check(z.refine((password) => passwordProblem(password) === undefined, { error: ({ input }) => passwordProblem(String(input)) }))

export const editSchema = z.object({ email, role_ids: roleIds, is_active: z.boolean() })
export type EditInput = z.infer<typeof editSchema>

export const createSchema = z
  .object({
    username,
    email,
    password: newPassword,
    again: z.string(),
    role_ids: roleIds,
    is_active: z.boolean(),
    must_change_password: z.boolean(),
  })
  .check(z.refine(({ password, again }) => password === again, { error: 'The two are not the same', path: ['again'] }))
export type CreateInput = z.infer<typeof createSchema>
