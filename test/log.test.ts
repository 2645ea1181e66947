import { expect, test } from 'vitest'
import { inProcess } from './support/processes.ts'

test('the log is one JSON line an event, and whatever is in it, it commands no terminal', async () => {
  const logged = await inProcess(
    String.raw`
    import { openLog } from './src/log.ts'
    openLog('info').warn({ reason: 'a \u001b[2J b \u009b31m c \u202e d' }, 'feed failed')
    openLog('error').warn({}, 'not shown')`,
    'stderr',
  )
  expect(logged).not.toMatch(/[\p{Cc}\u202e]/u)
  expect(JSON.parse(logged)).toMatchObject({
    level: 40,
    reason: 'a \u001b[2J b \u009b31m c \u202e d',
    msg: 'feed failed',
  })
})
