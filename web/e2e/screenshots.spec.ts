import { mkdir } from 'node:fs/promises'
import { expect, test } from '@playwright/test'
import { Api } from './support/api'
import { allPages } from './support/pages'
import { expectLive, signIn } from './support/people'

const target = `${import.meta.dirname}/../../docs/screenshots`

for (const scheme of ['light', 'dark'] as const) {
  test(`every page, ${scheme}`, async ({ browser }) => {
    test.setTimeout(240_000)
    await mkdir(`${target}/${scheme}`, { recursive: true })
    const page = await (await browser.newContext({ colorScheme: scheme, viewport: { width: 1440, height: 900 } })).newPage()
    const shoot = (name: string) => page.screenshot({ path: `${target}/${scheme}/${name}.png` })
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    await page.evaluate(() => document.fonts.ready)
    await shoot('login')
    await signIn(page)
    await expectLive(page)
    for (const { name, path, ready } of await allPages(await Api.admin())) {
      await page.goto(path)
      await expect(page.getByText(ready).first()).toBeVisible()
      await expect(page.locator('[aria-label="Loading"]')).toHaveCount(0)
      if (name !== 'not-found') await expectLive(page)
      await page.mouse.move(0, 0)
      await shoot(name)
    }
    await page.keyboard.press('Control+k')
    await page.keyboard.type('vpn')
    await expect(page.getByRole('option', { name: /vpn-/ }).first()).toBeVisible()
    await shoot('search')
    await page.context().close()
  })
}
