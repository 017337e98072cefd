import { randomUUID } from 'node:crypto'
import { expect, type Page } from '@playwright/test'
import type { Api } from './api'
import { stack } from './stack'

export interface Person {
  username: string
  password: string
}

const roleIds = { admin: 1, operator: 2, viewer: 3, auditor: 4 }
export type RoleName = keyof typeof roleIds

/** A new portal user with a name of its own. */
export async function aPerson(admin: Api, role: RoleName): Promise<Person & { id: number }> {
  const username = `${role}_${randomUUID().slice(0, 8)}`
  const password = `Journey-${randomUUID().slice(0, 8)}-1`
  const { id } = await admin.post<{ id: number }>('/api/portal-users', {
    username,
    email: `${username}@example.com`,
    password,
    role_ids: [roleIds[role]],
    must_change_password: false,
  })
  return { id, username, password }
}

/** Until the page with that heading is there. Before, what is looked for may be found on the page that is being left. */
export async function arrived(page: Page, heading: string | RegExp): Promise<void> {
  await expect(page.getByRole('heading', { level: 1, name: heading, exact: true })).toBeVisible()
}

export async function fillLogin(page: Page, { username, password }: Person): Promise<void> {
  await arrived(page, 'Sign in')
  await page.getByLabel('Username', { exact: true }).fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in at `path`: the portal asks first, then shows what was asked for, under that heading. */
export async function signIn(
  page: Page,
  person: Person = stack.admin,
  path = '/dashboard',
  heading: string | RegExp = 'Dashboard',
): Promise<void> {
  await page.goto(path)
  await fillLogin(page, person)
  await expect(page.getByRole('button', { name: `Account of ${person.username}` })).toBeVisible()
  await arrived(page, heading)
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await arrived(page, 'Sign in')
}

/** Until the socket says that everything shown is live. */
export async function expectLive(page: Page): Promise<void> {
  await expect(page.getByRole('status', { name: /^Live updates/ })).toHaveAttribute('data-state', 'live', { timeout: 30_000 })
}
