import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { sealFailure } from '../../src/editions/seal-failure.ts'
import type { Log } from '../../src/log.ts'
import { EditionPipeline } from '../../src/pipeline/advance.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { person } from '../../src/store/events/event.ts'
import { addEvent } from '../../src/store/events/events.ts'
import { minute, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory } from '../support/history.ts'
import { newsFeed, openWorld, publishTitles } from '../support/world.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('an edition that cannot be sealed', (freshUrl) => {
  async function open() {
    const failures: { event: string; retryAt: string }[] = []
    const log = {
      ...Object.fromEntries(['debug', 'info', 'warn'].map((level) => [level, () => {}])),
      error: (fields: { event: string; retryAt: string }) => failures.push(fields),
    } as unknown as Log
    const it = await openWorld({ storeUrl: await freshUrl(), log, job: { approval: 'required' } })
    closing.push(it.close)
    cpSync('templates', join(it.folder, 'templates'), { recursive: true })
    it.app.config.templates = join(it.folder, 'templates')
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    let attempts = 0
    let fails = true
    const { render } = it.app
    it.app.render = async (draft) => {
      attempts++
      const rendered = await render(draft)
      return fails ? { ...rendered, problems: ['digest.mjml.hbs: its HTML is empty'] } : rendered
    }
    const sender = await openSender(it.app)
    closing.push(sender.close)
    const pipeline = new EditionPipeline(it.app, sender)
    const turn = async (wait = 0) => {
      it.clock.advance(wait)
      await pipeline.advance()
      await pipeline.idle()
      return attempts
    }
    const mend = () => {
      fails = false
    }
    const state = async () => {
      const failure = sealFailure({ status: 'composed' }, await editionHistory(it.app.db, id))
      return failure && describeReason(failure)
    }
    return { it, id, turn, failures, mend, state }
  }

  test('is tried again after 15 seconds, then twice as long each time, up to ten minutes', async () => {
    const { it, id, turn, failures } = await open()
    await turn()
    for (let turns = 0; turns < 300; turns++) await turn(5 * second)
    const waits = failures.map(({ retryAt }, index) =>
      index === 0 ? 0 : (Date.parse(retryAt) - Date.parse(failures[index - 1]?.retryAt ?? '')) / second,
    )
    expect(waits).toEqual([0, 30, 60, 120, 240, 480, 600])
    expect(failures.every(({ event }) => event === 'edition.failed')).toBe(true)
    const noted = (await editionHistory(it.app.db, id)).filter(({ what }) => what.startsWith('Could not be made ready'))
    expect(noted).toHaveLength(1)
  }, 60_000)

  test('is tried again at once after the template, the job file or an editor changed something', async () => {
    const { it, id, turn } = await open()
    expect([await turn(), await turn()]).toEqual([1, 1])
    const footer = join(it.app.config.templates, 'email/parts/footer.mjml.hbs')
    writeFileSync(footer, `${readFileSync(footer, 'utf8')}\n\n`)
    expect([await turn(), await turn()]).toEqual([2, 2])
    it.app.digests[0] = { ...it.digest, introduction: 'Dear reader' }
    expect([await turn(), await turn()]).toEqual([3, 3])
    await addEvent(
      it.app.db,
      { kind: 'edition.article_restored', actor: person('Ada'), edition: id, data: { title: 'One' } },
      it.clock.now(),
    )
    expect([await turn(), await turn()]).toEqual([4, 4])
  })

  test('says in its history why it waits, until it is sealed', async () => {
    const { it, id, turn, mend, state } = await open()
    await turn()
    expect(await state()).toBe('the template "digest" cannot be used as it is:\ndigest.mjml.hbs: its HTML is empty')
    mend()
    await turn(10 * minute)
    expect(await state()).toBeUndefined()
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'sealed' })
  })
})
