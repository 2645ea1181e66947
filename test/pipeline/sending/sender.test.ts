import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { countDeliveries } from '../../../src/store/deliveries/deliveries.ts'
import { minute, second } from '../../../src/time/clock.ts'
import { onBothEngines, sqliteUrl } from '../../support/databases/engines.ts'
import { peopleAt, readyToSend } from '../../support/ready.ts'

const closing: (() => Promise<unknown>)[] = []

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  vi.useRealTimers()
})

test('what is committed while an edition is sent is brought to the disk each second, and once more at the end', async () => {
  const { url, remove } = sqliteUrl()
  closing.push(async () => remove())
  const { it, relay, id, sender } = await readyToSend({
    storeUrl: url,
    people: peopleAt('readers.example', 5),
    closing,
  })
  const { store } = it.app
  let syncs = 0
  const sync = async () => {
    syncs += 1
    await store.sync()
  }
  relay.holdAnswersFrom(2)
  const sending = sendEdition({ ...it.app, store: { ...store, sync } }, sender, id, { unknown: 'repeat' })
  await relay.untilReceived(2)
  expect(syncs).toBe(0)
  vi.advanceTimersByTime(3 * second)
  expect(syncs).toBe(3)
  relay.answerAll()
  await sending
  expect(syncs).toBe(4)
})

onBothEngines('a sender on another machine', (freshUrl) => {
  test('is known to live as long as it beats, however long its relay takes, and is taken for dead after two minutes of silence', async () => {
    const { it, relay, id, sender } = await readyToSend({
      storeUrl: await freshUrl(),
      people: peopleAt('readers.example', 1),
      relay: { timeout: 60 },
      closing,
    })
    const { db } = it.app
    await db.updateTable('workers').set({ host: 'elsewhere' }).where('id', '=', sender.worker.id).execute()
    const seenAt = async () => {
      const { seenAt } = await db
        .selectFrom('workers')
        .select('seenAt')
        .where('id', '=', sender.worker.id)
        .executeTakeFirstOrThrow()
      return seenAt
    }
    relay.holdAnswersFrom(1)
    const sending = sendEdition(it.app, sender, id, { unknown: 'repeat' })
    await relay.untilReceived(1)
    for (let beat = 0; beat < 9; beat++) {
      it.clock.advance(20 * second)
      vi.advanceTimersByTime(20 * second)
      while ((await seenAt()) !== it.clock.now()) await setImmediate()
    }
    closing.push((await openSender(it.app)).close)
    expect(await countDeliveries(db, id)).toMatchObject({ sending: 1, unknown: 0 })
    it.clock.advance(2 * minute)
    closing.push((await openSender(it.app)).close)
    expect(await countDeliveries(db, id)).toMatchObject({ sending: 0, unknown: 1 })
    relay.answerAll()
    await sending.catch(() => {}) // what it records now is refused: others have settled it
  })
})
