import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { Api } from './support/api'
import { allPages } from './support/pages'
import { signIn } from './support/people'

const schemes = ['light', 'dark'] as const

/** Serious and critical violations, one a line. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1]?.trim() ?? ''}`))
}

for (const scheme of schemes) {
  test(`no page has a serious or critical violation, ${scheme}`, async ({ browser }) => {
    test.setTimeout(600_000)
    const page = await (await browser.newContext({ colorScheme: scheme, reducedMotion: 'reduce' })).newPage()
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    const found: Record<string, string[]> = { login: await violations(page) }
    await signIn(page)
    for (const { name, path, ready } of await allPages(await Api.admin())) {
      await page.goto(path)
      await expect(page.getByText(ready).first()).toBeVisible()
      found[name] = await violations(page)
    }
    await page.goto('/dashboard')
    await expect(page.getByText('Top VPN users')).toBeVisible()
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('option').first()).toBeVisible()
    found.search = await violations(page)
    expect(Object.fromEntries(Object.entries(found).filter(([, list]) => list.length > 0))).toEqual({})
    await page.context().close()
  })
}

test('nothing is wider than a phone', async ({ browser }) => {
  test.setTimeout(300_000)
  const page = await (await browser.newContext({ viewport: { width: 360, height: 780 } })).newPage()
  await signIn(page)
  const wide: string[] = []
  for (const { name, path, ready } of await allPages(await Api.admin())) {
    await page.goto(path)
    await expect(page.getByText(ready).first()).toBeAttached()
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > 360) wide.push(`${name}: ${width} px`)
  }
  expect(wide).toEqual([])
  await page.context().close()
})
