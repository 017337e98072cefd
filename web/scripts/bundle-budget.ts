// Prints what each page loads first, compressed, and fails when login and dashboard together are over the budget.
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

const budget = 300_000
const dist = new URL('../dist/', import.meta.url)

interface Chunk {
  file: string
  imports?: string[]
  dynamicImports?: string[]
}

const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8')) as Record<string, Chunk>
const sizes = new Map<string, number>()

async function compressedSize(file: string): Promise<number> {
  const known = sizes.get(file)
  if (known !== undefined) return known
  const size = gzipSync(await readFile(new URL(file, dist)), { level: 6 }).byteLength
  sizes.set(file, size)
  return size
}

/** The files that `entries` need before they can run. */
function needed(entries: string[]): Set<string> {
  const files = new Set<string>()
  const visit = (name: string) => {
    const chunk = manifest[name]
    if (!chunk || files.has(chunk.file)) return
    files.add(chunk.file)
    for (const one of chunk.imports ?? []) visit(one)
  }
  for (const entry of entries) visit(entry)
  return files
}

async function firstLoad(entries: string[]): Promise<number> {
  let sum = 0
  for (const file of needed(entries)) if (file.endsWith('.js')) sum += await compressedSize(file)
  return sum
}

const entry = 'index.html'
const pages = Object.keys(manifest).filter((name) => /src\/features\/[^/]+\/\w+Page\.tsx$/.test(name))
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1).padStart(8)} kB`

process.stdout.write('JavaScript of the first load, gzip:\n')
process.stdout.write(`  ${'shell'.padEnd(28)}${kilobytes(await firstLoad([entry]))}\n`)
for (const page of pages) {
  const name = page.replace(/^src\/features\//, '').replace(/\.tsx$/, '')
  process.stdout.write(`  ${name.padEnd(28)}${kilobytes(await firstLoad([entry, page]))}\n`)
}
const start = await firstLoad([entry, ...pages.filter((page) => /LoginPage|DashboardPage/.test(page))])
process.stdout.write(`  ${'login and dashboard'.padEnd(28)}${kilobytes(start)} of ${budget / 1000} kB\n`)
if (start > budget) {
  process.stderr.write('Login and dashboard together are over the budget.\n')
  process.exitCode = 1
}
