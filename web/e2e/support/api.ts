import { stack } from './stack'

/** Calls the services as a program would: to prepare what a journey needs, and to compare what it shows. */
export class Api {
  private readonly token: string

  private constructor(token: string) {
    this.token = token
  }

  static async signIn(username: string, password: string): Promise<Api> {
    const answer = await fetch(`${stack.baseUrl}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    if (!answer.ok) throw new Error(`login of ${username}: ${answer.status} ${await answer.text()}`)
    const { access_token } = (await answer.json()) as { access_token: string }
    return new Api(access_token)
  }

  static admin(): Promise<Api> {
    return Api.signIn(stack.admin.username, stack.admin.password)
  }

  static withToken(token: string): Api {
    return new Api(token)
  }

  request(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    return fetch(stack.baseUrl + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.request('GET', path)
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const answer = await this.request('POST', path, body)
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }
}
