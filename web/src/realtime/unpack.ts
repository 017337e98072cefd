/** Snapshots come as gzip to those who can read that; a browser that cannot gets them as text. */
export function canUnpack(): boolean {
  return 'DecompressionStream' in globalThis
}

async function unpack(data: ArrayBuffer): Promise<string> {
  const packed = new Response(data).body
  return packed ? new Response(packed.pipeThrough(new DecompressionStream('gzip'))).text() : ''
}

/**
 * Gives messages on in the order in which they came, though unpacking takes its time: what came behind a packed one waits for it. After one
 * that cannot be unpacked nothing is given on any more.
 */
export function inOrder(take: (text: string) => void, failed: () => void): (data: string | ArrayBuffer) => void {
  let waiting = 0
  let last = Promise.resolve()
  let isBroken = false
  const takeWhole = (text: string) => {
    if (!isBroken) take(text)
  }
  return (data) => {
    if (typeof data === 'string' && waiting === 0) return takeWhole(data)
    waiting += 1
    const text = typeof data === 'string' ? data : unpack(data)
    last = last
      .then(async () => takeWhole(await text))
      .catch(() => {
        isBroken = true
        failed()
      })
      .finally(() => (waiting -= 1))
  }
}
