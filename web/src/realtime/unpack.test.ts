import { gzipSync } from 'node:zlib'
import { expect, it, vi } from 'vitest'
import { inOrder } from './unpack'

function packed(text: string): ArrayBuffer {
  return new Uint8Array(gzipSync(text)).buffer
}

it('gives messages on in the order in which they came', async () => {
  const taken: string[] = []
  const receive = inOrder((text) => taken.push(text), vi.fn())
  receive('first')
  expect(taken).toEqual(['first'])
  receive(packed('second '.repeat(10_000)))
  receive(packed('third'))
  receive('fourth')
  expect(taken).toEqual(['first'])
  await vi.waitFor(() => expect(taken).toHaveLength(4))
  expect([taken[1]?.slice(0, 6), ...taken.slice(2)]).toEqual(['second', 'third', 'fourth'])
})

it('gives nothing on after what cannot be unpacked', async () => {
  const [take, failed] = [vi.fn(), vi.fn()]
  const receive = inOrder(take, failed)
  receive(new Uint8Array([1, 2, 3]).buffer)
  receive('behind it')
  await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce())
  receive('later')
  expect(take).not.toHaveBeenCalled()
})
