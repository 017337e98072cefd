import { mkdir } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import { Api } from './support/api'
import { expect, test } from './support/journey'
import { allPages } from './support/pages'
import { arrived, expectLive, signIn } from './support/people'

/** `WIDTH=360 SCREENSHOTS=/tmp/phone make screenshots`: other windows, elsewhere. */
const target = process.env.SCREENSHOTS ?? `${import.meta.dirname}/../../docs/screenshots`
const width = Number(process.env.WIDTH ?? 1440)
const viewport = { width, height: width < 600 ? 780 : 900 }

/** Until nothing is loading and every chart has been drawn: two frames after its canvas is there. */
async function settled(page: Page, charts: number): Promise<void> {
  await expect(page.locator('figure canvas')).toHaveCount(charts)
  await expect(page.locator('[aria-label="Loading"]')).toHaveCount(0)
  await page.evaluate(async () => {
    await document.fonts.ready
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
  })
}

for (const scheme of ['light', 'dark'] as const) {
  test(`every page, ${scheme}`, async ({ anotherPage }) => {
    test.setTimeout(300_000)
    await mkdir(`${target}/${scheme}`, { recursive: true })
    const page = await anotherPage({ colorScheme: scheme, viewport, reducedMotion: 'reduce' })
    const shoot = (name: string) => page.screenshot({ path: `${target}/${scheme}/${name}.png`, animations: 'disabled' })
    await page.goto('/')
    await arrived(page, 'Sign in')
    await settled(page, 0)
    await shoot('login')
    await signIn(page)
    await expectLive(page)
    for (const { name, path, ready, charts = 0 } of await allPages(await Api.admin())) {
      await page.goto(path)
      await expect(page.getByText(ready).first()).toBeVisible()
      if (name !== 'not-found') await expectLive(page)
      await settled(page, charts)
      await page.mouse.move(0, 0)
      await shoot(name)
    }
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).fill('vpn')
    await expect(page.getByRole('option', { name: /vpn-/ }).first()).toBeVisible()
    await shoot('search')
  })
}
