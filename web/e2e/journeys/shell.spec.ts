import { expect, test } from '../support/journey'
import { arrived, signIn } from '../support/people'

test('everything is reached by keyboard: search, arrows, Enter, and back', async ({ page }) => {
  await signIn(page)
  await page.keyboard.press('/')
  const search = page.getByRole('combobox', { name: 'Search' })
  await expect(search).toBeFocused()
  await page.keyboard.type('servers')
  await expect(page.getByRole('option', { name: /Servers/ }).first()).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/servers/)
  await arrived(page, 'Servers')
  await page.keyboard.press('Control+k')
  await expect(search).toBeFocused()
  await page.keyboard.type('10.8.0.23')
  await expect(page.getByRole('option', { name: /Who held 10.8.0.23/ })).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/\/identity\?ip=10\.8\.0\.23/)
  await page.goBack()
  await expect(page).toHaveURL(/\/servers/)
})

test('times switch between UTC and local everywhere, and the theme stays over a reload', async ({ page }) => {
  await signIn(page, undefined, '/audit-logs', 'Audit log')
  const first = page.getByRole('row').nth(1).getByRole('time')
  const utc = await first.getAttribute('title')
  expect(utc).toMatch(/UTC$/)
  await page.getByRole('button', { name: /^Times in UTC/ }).click()
  await expect(first).toHaveAttribute('title', /GMT\+[12]$/)

  await page.getByRole('button', { name: /^Account of/ }).click()
  await page.getByRole('button', { name: 'dark' }).click()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.reload()
  await arrived(page, 'Audit log')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('an address that leads nowhere says so, and a session that is not there too', async ({ page }) => {
  await signIn(page, undefined, '/no/such/page', 'Page not found')
  await expect(page).toHaveTitle(/Page not found/)
  await page.goto('/sessions/0189a1b2-0000-7000-8000-000000000000')
  await expect(page.getByText('Not found')).toBeVisible()
})

test('without a network the page says so, and goes on by itself when it is back', async ({ page, context }) => {
  await signIn(page, undefined, '/servers', 'Servers')
  const grid = page.getByRole('grid', { name: 'VPN servers' })
  await expect(grid).toBeVisible()
  await context.setOffline(true)
  await page.getByLabel('Name or description').fill('vpn')
  await expect(page.getByText('The server cannot be reached')).toBeVisible()
  await context.setOffline(false)
  await expect(grid).toBeVisible()
  await expect(page.getByLabel('Name or description')).toHaveValue('vpn')
})
