import { expect, test } from 'vitest'
import { HostLimit } from '../../src/http/host-limit.ts'

test('who gives up waiting takes no turn: the next in line has it', async () => {
  const limit = new HostLimit(1)
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const stop = new AbortController()
  const ask = (work: () => Promise<unknown>, signal?: AbortSignal) => limit.run('magazine.example', signal, work)
  const first = ask(() => held)
  const second = ask(async () => 'second', stop.signal)
  const third = ask(async () => 'third')
  stop.abort(new Error('it takes too long'))
  await expect(second).rejects.toThrow('it takes too long')
  release()
  await first
  expect(await third).toBe('third')
  await expect(ask(async () => 'fourth', stop.signal)).resolves.toBe('fourth') // nobody has to wait any more
})
