import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The stack under test, as `deploy/local/web` found or started it. */
export interface Stack {
  baseUrl: string
  admin: { username: string; password: string }
}

function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the journeys by \`deploy/local/web journeys\``)
  return value
}

export const stack: Stack = {
  baseUrl: required('BASE_URL'),
  admin: { username: required('ADMIN_USERNAME'), password: required('ADMIN_PASSWORD') },
}

const run = promisify(execFile)

/** Stops a server of the stack (`redis`, `nats`) and starts it again. */
export async function restart(server: 'redis' | 'nats', whileAway: () => Promise<void>): Promise<void> {
  const directory = `${required('STACK_DIR')}/${server}`
  const script = `${import.meta.dirname}/../../../deploy/local/${server}`
  await run(script, ['stop', directory])
  try {
    await whileAway()
  } finally {
    await run(script, ['start', directory, required(`${server.toUpperCase()}_PORT`)])
  }
}
