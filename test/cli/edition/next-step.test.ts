import { afterEach, expect, test } from 'vitest'
import { nextStep } from '../../../src/cli/edition/next-step.ts'
import { resumeHint } from '../../../src/cli/edition/send-in-foreground.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { retractArticle } from '../../../src/editions/retract.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { hold, pause, resume, stop } from '../../../src/editions/review/pause.ts'
import { seal } from '../../../src/editions/seal.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import type { EditionRow, EditionStatus } from '../../../src/store/schema.ts'
import { abilitiesOf } from '../../../src/web/pages/studio/edition-articles.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { newsFeed, openWorld, plainRender, publishTitles, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const now = '2026-11-27T07:00:00.000Z'

/** What the words of an edition name, done. */
const commands: Record<string, (it: World, id: string, rest: string) => Promise<void>> = {
  approve: ({ app }, id) => approve(app, id, 'Ada'),
  resume: ({ app }, id, rest) => resume(app, id, 'Ada', { anyway: rest === ' --anyway' }),
  cancel: ({ app }, id) => cancel(app, id, 'Ada', 'test'),
}

const states: Record<string, (it: World, id: string) => Promise<unknown>> = {
  'held before it was approved': ({ app }, id) => hold(app, id, 'Ada', 'test'),
  'paused before its audience was complete': async ({ app }, id) => {
    await approve(app, id, 'Ada')
    await app.db.updateTable('editions').set({ status: 'sending' }).execute()
    await pause(app, id, 'Ada', 'test')
  },
  'paused in the middle': async ({ app }, id) => {
    await approve(app, id, 'Ada')
    await app.db.updateTable('editions').set({ status: 'sending', audienceAt: now }).execute()
    await pause(app, id, 'Ada', 'test')
  },
  'paused for a retracted article': async ({ app, digest }, id) => {
    await approve(app, id, 'Ada')
    await app.db.updateTable('editions').set({ status: 'sending', audienceAt: now }).execute()
    const decision = { who: 'Ada', reason: 'test' }
    await retractArticle({ ...app, digests: [digest] }, 'https://magazine.example/one', decision)
  },
}

onBothEngines('an edition', (freshUrl) => {
  async function sealed() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    return { it, id, edition: async () => (await editionById(it.app.db, id)) as EditionRow }
  }

  test.each(Object.entries(states))('that is %s is told commands that it accepts', async (_, enter) => {
    const { it, id, edition } = await sealed()
    await enter(it, id)
    const before = await edition()
    for (const hint of [await nextStep(it.app, before), await resumeHint(it.app, it.digest, id)]) {
      const named = [...hint.matchAll(/lastword edition (\w+) (\S+?)( --anyway)?(?=[.,\s])/g)]
      expect(named.length).toBeGreaterThanOrEqual(2)
      for (const [, command = '', named_, rest = ''] of named) {
        expect(named_).toBe(id)
        await commands[command]?.(it, id, rest)
        expect((await edition()).status).not.toBe(before.status)
        await it.app.db.updateTable('editions').set(before).where('id', '=', id).execute()
      }
    }
  })

  test('has a button in the studio for what it accepts, and none for what it refuses, in each of its states', async () => {
    const { it, id, edition } = await sealed()
    const statuses = [
      ...['composed', 'sealed', 'held', 'approved', 'sending', 'paused'],
      ...['sent', 'skipped', 'cancelled'],
    ] as EditionStatus[]
    const acts: typeof commands = {
      ...commands,
      stop: ({ app }: World) => stop(app, id, 'Ada', 'test'),
    }
    const before = await edition()
    for (const status of statuses)
      for (const [name, act] of Object.entries(acts)) {
        await it.app.db
          .updateTable('editions')
          .set({ ...before, status })
          .execute()
        const abilities = abilitiesOf(await edition())
        const may =
          name === 'stop' ? abilities.hold || abilities.stopSending : abilities[name as keyof typeof abilities]
        const accepted = await act(it, id, '').then(
          () => true,
          () => false,
        )
        expect([status, name, accepted]).toEqual([status, name, may])
      }
  })
})
