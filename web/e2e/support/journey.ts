import { test as base, type BrowserContextOptions, type Page } from '@playwright/test'

export { expect } from '@playwright/test'

/** `SLOW=5`: browsers compute at a fifth of this machine's speed, to find what only holds on a fast one. */
const slowness = Number(process.env.SLOW ?? 1)

async function slowed(page: Page): Promise<Page> {
  if (slowness > 1) {
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowness })
  }
  return page
}

interface Journey {
  /** A page in a browser context of its own, as of somebody else; closed at the end. */
  anotherPage: (options?: BrowserContextOptions) => Promise<Page>
}

export const test = base.extend<Journey>({
  page: async ({ page }, give) => give(await slowed(page)),
  anotherPage: async ({ browser }, give) => {
    const pages: Page[] = []
    await give(async (options) => {
      const page = await slowed(await (await browser.newContext(options)).newPage())
      pages.push(page)
      return page
    })
    for (const page of pages) await page.context().close()
  },
})
