import { getPriority } from 'node:os'
import { expect, test } from 'vitest'
import { lowerSigningPriority, poolThreads } from '../../src/runtime/pool-threads.ts'

test.runIf(process.platform === 'linux')(
  'the threads that sign step back behind the one that sends, once',
  async () => {
    const before = getPriority()
    await lowerSigningPriority()
    await lowerSigningPriority()
    expect([...new Set(poolThreads().map(getPriority))]).toEqual([before + 5])
    expect(getPriority()).toBe(before)
  },
)
