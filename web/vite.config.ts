import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const stack = process.env.BASE_URL ?? 'http://127.0.0.1:18480'

/** To the stack as if the page had been served by it: its Origin check must hold. */
const toStack = { target: stack, changeOrigin: true, headers: { origin: stack } }

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  preview: { host: '127.0.0.1', port: 5174, strictPort: true, proxy: { '/api': toStack, '/ws': { ...toStack, ws: true } } },
  server: {
    host: '127.0.0.1',
    port: 5173,
    strictPort: true,
    proxy: { '/api': toStack, '/ws': { ...toStack, ws: true } },
  },
  // The content security policy allows no `data:` fonts, so nothing is inlined.
  build: { target: 'es2023', assetsInlineLimit: 0, manifest: true, modulePreload: { polyfill: false } },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
  },
})
