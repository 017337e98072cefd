import { authorizedFetch } from './client'
import { problemOf } from './problem'

export interface DownloadProgress {
  receivedBytes: number
}

/** Reads the whole answer, telling how much has come; exports have no length beforehand. */
async function receive(response: Response, onProgress: (progress: DownloadProgress) => void): Promise<Blob> {
  const reader = response.body?.getReader()
  if (!reader) return response.blob()
  const chunks: BlobPart[] = []
  let receivedBytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    receivedBytes += value.byteLength
    onProgress({ receivedBytes })
  }
  return new Blob(chunks, { type: response.headers.get('content-type') ?? 'application/octet-stream' })
}

function fileName(response: Response, fallback: string): string {
  const named = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')
  return named?.[1] ?? fallback
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Downloads an export to a file of the browser's. Throws a `Problem`, `Unreachable`, or an `AbortError`. */
export async function download(
  path: string,
  fallbackName: string,
  options: { signal: AbortSignal; onProgress: (progress: DownloadProgress) => void },
): Promise<void> {
  const response = await authorizedFetch(new Request(new URL(path, location.origin), { signal: options.signal }))
  if (!response.ok) throw await problemOf(response)
  save(await receive(response, options.onProgress), fileName(response, fallbackName))
}
