import { defineConfig } from '@playwright/test'

/** The stack under test: `deploy/local/web journeys` starts one and says where it is. */
const baseURL = process.env.BASE_URL ?? 'http://127.0.0.1:18480'

export default defineConfig({
  testDir: 'e2e',
  // Each kind of run has its own: they may go on at the same time.
  outputDir: `../.local/web-results/${process.env.npm_lifecycle_event ?? 'playwright'}`,
  // One stack, one browser: the journeys look at the same live data.
  workers: 1,
  retries: 0,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  forbidOnly: true,
  use: {
    baseURL,
    viewport: { width: 1440, height: 900 },
    timezoneId: 'Europe/Berlin',
    locale: 'en-GB',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] },
  },
  projects: [
    { name: 'journeys', testMatch: 'journeys/*.spec.ts' },
    { name: 'accessibility', testMatch: 'accessibility.spec.ts' },
    { name: 'screenshots', testMatch: 'screenshots.spec.ts' },
    { name: 'bench-loads', testMatch: 'bench/loads.spec.ts' },
    { name: 'bench-live', testMatch: 'bench/live.spec.ts' },
  ],
})
