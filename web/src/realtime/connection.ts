import { isWholePosition, readFrame, type ClientFrame, type ServerFrame } from './frames'
import { canUnpack, inOrder } from './unpack'

export type Phase = 'connecting' | 'open' | 'waiting'

interface ConnectionOptions {
  url: string
  token: () => Promise<string | null>
  /** Another token after this one was refused; null: nobody is signed in any more. */
  anotherToken: (refused: string) => Promise<string | null>
  onFrame: (frame: ServerFrame) => void
  onPhase: (phase: Phase) => void
  /** From 0 up to 1: comes from outside so that tests know it. */
  random?: () => number
  open?: (url: string) => WebSocket
}

/** The gateway repeats its figures every 15 s, so that silence means a dead line. */
const silenceMs = 45_000
const firstWaitMs = 500
const longestWaitMs = 15_000

/** How long to wait before attempt `attempt` (from 0): twice as long each time, with full jitter, so that a restart is no stampede. */
export function waitBefore(attempt: number, random: number): number {
  const ceiling = Math.min(longestWaitMs, firstWaitMs * 2 ** attempt)
  return 100 + ceiling * random
}

/** A socket that comes back by itself, where it was. */
export class Connection {
  private readonly options: ConnectionOptions
  private socket: WebSocket | undefined
  private position: string | undefined
  private usedToken: string | undefined
  private attempt = 0
  private stopped = false
  private retryTimer: ReturnType<typeof setTimeout> | undefined
  private silenceTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionOptions) {
    this.options = options
  }

  start(): void {
    this.stopped = false
    void this.connect()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.retryTimer)
    clearTimeout(this.silenceTimer)
    this.socket?.close(1000)
    this.socket = undefined
  }

  /** At once, when there is reason to believe that it will work: the network is back, the page is looked at again. */
  retryNow(): void {
    if (this.stopped || this.socket) return
    clearTimeout(this.retryTimer)
    this.attempt = 0
    void this.connect()
  }

  /** The session goes on with a new token over the same socket. */
  renew(token: string): void {
    if (this.socket?.readyState !== WebSocket.OPEN || token === this.usedToken) return
    this.usedToken = token
    this.send({ event: 'authenticate', token })
  }

  send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame))
  }

  private async connect(): Promise<void> {
    this.options.onPhase('connecting')
    const token = await this.options.token().catch(() => null)
    if (this.stopped || this.socket) return
    if (!token) return this.retryLater()
    this.usedToken = token
    const socket = (this.options.open ?? ((url) => new WebSocket(url)))(this.options.url)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    socket.addEventListener('open', () =>
      this.send({
        event: 'authenticate',
        token,
        ...(this.position && { last_position: this.position }),
        ...(canUnpack() && { compression: 'gzip' }),
      }),
    )
    const unpacked = inOrder(
      (text) => this.socket === socket && this.receive(text),
      () => socket.close(4001, 'not unpacked'),
    )
    socket.addEventListener('message', (event: MessageEvent<string | ArrayBuffer>) => {
      this.expectSound()
      unpacked(event.data)
    })
    socket.addEventListener('close', (event) => this.closed(socket, event))
    this.expectSound()
  }

  private receive(text: string): void {
    const frame = readFrame(text)
    if (!frame) return
    if (frame.event === 'authenticated') {
      this.attempt = 0
      this.options.onPhase('open')
    }
    this.options.onFrame(frame)
    if (frame.event === 'resync') this.position = undefined
    else if ('position' in frame && isWholePosition(frame.position)) this.position = frame.position
  }

  private expectSound(): void {
    clearTimeout(this.silenceTimer)
    this.silenceTimer = setTimeout(() => this.socket?.close(4000, 'silence'), silenceMs)
  }

  private closed(socket: WebSocket, { code }: CloseEvent): void {
    if (this.socket !== socket) return
    this.socket = undefined
    clearTimeout(this.silenceTimer)
    if (this.stopped) return
    if (code === 4401) void this.renewThenRetry()
    else this.retryLater()
  }

  /** The token was refused: with another one it may work, and if there is none, the portal goes to the login. */
  private async renewThenRetry(): Promise<void> {
    this.options.onPhase('waiting')
    if (this.usedToken) await this.options.anotherToken(this.usedToken).catch(() => null)
    if (!this.stopped) this.retryLater()
  }

  private retryLater(): void {
    this.options.onPhase('waiting')
    clearTimeout(this.retryTimer)
    const wait = waitBefore(this.attempt, (this.options.random ?? Math.random)())
    this.attempt += 1
    this.retryTimer = setTimeout(() => void this.connect(), wait)
  }
}
