import { z } from 'zod/mini'

export const credentialsSchema = z.object({
  username: z.string().check(z.trim(), z.minLength(1, 'Enter your username'), z.maxLength(255, 'This is too long for a username')),
  password: z.string().check(z.minLength(1, 'Enter your password'), z.maxLength(1024, 'This is too long for a password')),
  remember_me: z.boolean(),
})

export type CredentialsInput = z.infer<typeof credentialsSchema>

/** Six digits of an app, or a recovery code. */
export const otpSchema = z.object({
  otp: z.string().check(z.trim(), z.minLength(6, 'Enter the 6 digits, or a recovery code'), z.maxLength(64, 'This is too long for a code')),
})

export type OtpInput = z.infer<typeof otpSchema>
