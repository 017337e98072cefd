import { randomUUID } from 'node:crypto'
import type { Api } from './api'
import { stack } from './stack'

interface Connected {
  common_name: string
  virtual_ip: string
  session_id: string
}

interface Told {
  commands: { id: string; session_id: string }[]
  denials: { id: string; common_name: string }[]
  denials_version: string
}

/** An agent beside a VPN server of the journey's own: it talks to the real agent API with a real key. */
export class Agent {
  readonly server: string
  readonly serverId: number
  key: string
  private readonly boot = randomUUID()
  private seq = 0
  private nextAddress = 10

  private constructor(server: string, serverId: number, key: string) {
    this.server = server
    this.serverId = serverId
    this.key = key
  }

  /** Registers a VPN server with a name of its own and a key for it. */
  static async beside(admin: Api, prefix: string): Promise<Agent> {
    const name = `${prefix}-${randomUUID().slice(0, 8)}`
    const { id } = await admin.post<{ id: number }>('/api/servers', { name, description: 'of a journey' })
    const { key } = await admin.post<{ key: string }>(`/api/servers/${id}/keys`, { label: 'journey' })
    return new Agent(name, id, key)
  }

  static withKey(server: string, key: string): Agent {
    return new Agent(server, 0, key)
  }

  async send(...events: Record<string, unknown>[]): Promise<number> {
    const answer = await fetch(`${stack.baseUrl}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify(this.body(...events)),
    })
    return answer.status
  }

  /** A request's body, for what sends by itself. */
  body(...events: Record<string, unknown>[]): unknown {
    const now = new Date().toISOString()
    return {
      server_id: this.server,
      sent_at: now,
      boot_id: this.boot,
      events: events.map((event) => ({ event_id: randomUUID(), seq: (this.seq += 1), event_time_vpn: now, ...event })),
    }
  }

  async connects(common_name: string): Promise<Connected> {
    const [session] = await this.allConnect([common_name])
    if (!session) throw new Error('nobody has connected')
    return session
  }

  /** In one request. */
  async allConnect(names: string[]): Promise<Connected[]> {
    const sessions = names.map((common_name) => ({
      common_name,
      virtual_ip: this.address(),
      session_id: randomUUID(),
    }))
    const events = sessions.map(({ common_name, virtual_ip, session_id }) => ({
      type: 'SESSION_CONNECTED',
      event_id: session_id,
      common_name,
      real_ip: '203.0.113.77',
      real_port: 51_820,
      virtual_ip,
    }))
    await this.accepted(...events)
    return sessions
  }

  async counts({ session_id, common_name }: Connected, bytes_in: number, bytes_out: number): Promise<void> {
    await this.accepted({ type: 'SESSION_UPDATED', session_id, common_name, bytes_in, bytes_out })
  }

  async disconnects(session: Connected): Promise<void> {
    await this.allDisconnect([session])
  }

  async allDisconnect(sessions: Connected[]): Promise<void> {
    const ends = sessions.map(({ session_id, common_name }) => ({
      type: 'SESSION_DISCONNECTED',
      session_id,
      common_name,
      bytes_in: 1_000_000,
      bytes_out: 5_000_000,
      bytes_source: 'final',
    }))
    await this.accepted(...ends)
  }

  /** What a poll for commands answers, with this list of denials known. */
  async polls(denials_version = ''): Promise<Told> {
    const answer = await fetch(`${stack.baseUrl}/api/v1/commands?wait_seconds=20&denials_version=${denials_version}`, {
      headers: { authorization: `Bearer ${this.key}` },
    })
    if (!answer.ok) throw new Error(`the poll was answered ${answer.status}`)
    return (await answer.json()) as Told
  }

  async reports(command: string, result: Record<string, unknown>): Promise<void> {
    const answer = await fetch(`${stack.baseUrl}/api/v1/commands/${command}/result`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.key}` },
      body: JSON.stringify(result),
    })
    if (!answer.ok) throw new Error(`the report was answered ${answer.status} ${await answer.text()}`)
  }

  private address(): string {
    this.nextAddress += 1
    return `10.99.${this.nextAddress >> 8}.${this.nextAddress & 255}`
  }

  private async accepted(...events: Record<string, unknown>[]): Promise<void> {
    const status = await this.send(...events)
    if (status !== 200 && status !== 202) throw new Error(`the agent's event was answered ${status}`)
  }
}
