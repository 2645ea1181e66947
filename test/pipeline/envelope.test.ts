import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { resume } from '../../src/editions/review/pause.ts'
import { seal } from '../../src/editions/seal.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { startRelay } from '../support/smtp/relay.ts'
import { newsFeed, openWorld, publishTitles, subscribe } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a relay that accepts no sender but its login', (freshUrl) => {
  const login = 'newsletter-automation@magazine.example'

  async function open(relaySettings: object, count: number) {
    const relay = await startRelay((stage, { from }) =>
      stage === 'MAIL' && from !== login ? '553 5.7.1 Sender address rejected: not owned by user' : undefined,
    )
    closing.push(relay.close)
    const it = await openWorld({ storeUrl: await freshUrl(), relayPort: relay.port, relay: { ...relaySettings } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await subscribe(it, count)
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal(it.app, id, it.digest)
    await approve(it.app, id, 'Ada')
    const sender = await openSender(it.app)
    closing.push(sender.close)
    return { it, relay, sender, id }
  }

  test('takes every copy where the return path is that login and not personal', async () => {
    const { it, relay, sender, id } = await open({ returnPath: login, personalReturnPath: false }, 12)
    const { counts, finished } = await sendEdition(it.app, sender, id, { unknown: 'repeat' })
    expect([finished, counts.accepted]).toEqual([true, 12])
    expect(new Set(relay.accepted.map(({ from }) => from))).toEqual(new Set([login]))
  })

  test('pauses an edition with personal return paths, and takes all of it once the setting is changed and it is resumed', async () => {
    const { it, relay, sender, id } = await open({ returnPath: 'bounces@magazine.example' }, 30)
    const { counts, stopped } = await sendEdition(it.app, sender, id, { unknown: 'repeat' })
    expect(counts).toMatchObject({ accepted: 0, queued: 30 })
    expect(stopped && describeReason(stopped)).toContain('relay.personalReturnPath: false')
    const senders = relay.commands.filter((line) => line.startsWith('MAIL'))
    for (const line of senders) expect(line).toMatch(/<bounces\+[a-z2-7]{48}@magazine\.example>/)
    Object.assign(it.app.config.relay, { returnPath: login, personalReturnPath: false })
    await resume(it.app, id, 'Ada')
    expect(await sendEdition(it.app, sender, id, { unknown: 'repeat' })).toMatchObject({
      finished: true,
      counts: { accepted: 30 },
    })
  })
})
