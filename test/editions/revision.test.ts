import { afterEach, expect, test } from 'vitest'
import { describeEvent } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { cancel } from '../../src/editions/review/cancel.ts'
import { hold, pause, resume, stop } from '../../src/editions/review/pause.ts'
import {
  currentRevision,
  EditionChanged,
  formatRevision,
  parseRevision,
  type Revision,
} from '../../src/editions/review/revision.ts'
import { seal } from '../../src/editions/seal.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { addVariant, variantsOf, withdrawnVariants, withdrawVariants } from '../../src/store/editions/variants.ts'
import { addEvent } from '../../src/store/events/events.ts'
import { newId } from '../../src/store/id.ts'
import { openStore } from '../../src/store/open.ts'
import type { EditionRow, EditionStatus } from '../../src/store/schema.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openTransaction, waitUntilDoneOrLocked } from '../support/databases/locks.ts'
import { editionHistory } from '../support/history.ts'
import { newsFeed, openWorld, plainRender, publishTitles, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('a decision about an edition', (freshUrl) => {
  /** A sealed edition, and what a second process on the same store has. */
  async function open() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await subscribe(it, 2)
    const other = await openStore(it.app.config.store.url, it.clock)
    closing.push(other.close)
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    const { app } = it
    const edition = async () => (await editionById(app.db, id)) as EditionRow
    return {
      app,
      id,
      others: { ...app, db: other.db },
      other,
      status: async () => (await edition()).status,
      seen: async () => currentRevision(app.db, await edition()),
      become: (status: EditionStatus) => app.db.updateTable('editions').set({ status }).where('id', '=', id).execute(),
      decisions: async () =>
        (await editionHistory(app.db, id)).filter(({ who }) => who !== 'system').map(({ what }) => what),
    }
  }

  const refusal = (promise: Promise<void>) => promise.then(() => undefined).catch((error: unknown) => error)

  const acts: [string, (it: Awaited<ReturnType<typeof open>>, seen: Revision) => Promise<void>][] = [
    ['approve', ({ app, id }, seen) => approve(app, id, 'Mira', { seen })],
    ['cancel', ({ app, id }, seen) => cancel(app, id, 'Mira', 'too old', { seen })],
  ]

  test.each(acts)('to %s stops at a hold that the page did not show, and names who held it and why', async (_, act) => {
    const it = await open()
    const seen = await it.seen()
    await hold(it.app, it.id, 'Ben', 'Headline 2 needs the lawyer')
    const error = await refusal(act(it, seen))
    expect(error).toBeInstanceOf(EditionChanged)
    const data = { reason: { code: 'by-hand', words: 'Headline 2 needs the lawyer' } }
    expect((error as EditionChanged).changes).toMatchObject([{ actor: 'person:Ben', kind: 'edition.held', data }])
    expect([await it.status(), await it.decisions()]).toEqual(['held', ['Put on hold: Headline 2 needs the lawyer']])
    await act(it, await it.seen())
    expect(await it.status()).not.toBe('held')
  })

  test('stops at a text that only begins as what a page shows', async () => {
    const it = await open()
    const text = formatRevision(await it.seen())
    for (const forged of [
      `${text}.x`,
      `${text}.`,
      `${text}x`,
      `x${text}`,
      ` ${text}`,
      `${text}\n`,
      text.replace(/\.0$/, '.00'),
      '',
    ])
      expect(await refusal(approve(it.app, it.id, 'Mira', { seen: parseRevision(forged) }))).toBeInstanceOf(
        EditionChanged,
      )
    await approve(it.app, it.id, 'Mira', { seen: parseRevision(text) })
    expect(await it.status()).toBe('approved')
  })

  test('can take a seal off twice while the clock stands still', async () => {
    const { app, id } = await open()
    const now = app.clock.now()
    const [first] = await variantsOf(app.db, id)
    if (!first) throw new Error('it bears no seal')
    await withdrawVariants(app.db, id, now)
    await addVariant(app.db, { ...first, id: newId(now) })
    expect(await withdrawVariants(app.db, id, now)).toEqual([first.sha256])
    expect(await withdrawnVariants(app.db, id)).toHaveLength(2)
  })

  test('to resume stops at a second pause that the page did not show', async () => {
    const it = await open()
    await approve(it.app, it.id, 'Mira')
    await it.become('sending')
    await pause(it.app, it.id, 'Mira', 'a wrong name')
    const seen = await it.seen()
    await resume(it.app, it.id, 'Ben')
    await pause(it.app, it.id, 'Ben', 'it is still wrong')
    const error = await refusal(resume(it.app, it.id, 'Mira', { seen }))
    expect((error as EditionChanged).changes.map(describeEvent)).toEqual([
      'Sending resumed',
      'Paused: it is still wrong',
    ])
    expect(await it.status()).toBe('paused')
    await resume(it.app, it.id, 'Mira', { seen: await it.seen() })
    expect(await it.status()).toBe('sending')
  })

  test('stops where the sending began since, and is not kept up by what the program notes', async () => {
    const it = await open()
    const waiting = await it.seen()
    await addEvent(
      it.app.db,
      { kind: 'notice.sent', actor: 'system', edition: it.id, data: { about: 'edition' } },
      it.app.clock.now(),
    )
    await approve(it.app, it.id, 'Mira', { seen: waiting })
    const seen = await it.seen()
    await addEvent(
      it.app.db,
      { kind: 'notice.sent', actor: 'system', edition: it.id, data: { about: 'edition' } },
      it.app.clock.now(),
    )
    await it.become('sending')
    expect(await refusal(cancel(it.app, it.id, 'Mira', 'too old', { seen }))).toBeInstanceOf(EditionChanged)
    expect(await it.status()).toBe('sending')
  })

  test('that waits for another one to commit sees it: a hold and an approval at once leave it held', async () => {
    const it = await open()
    const seen = await it.seen()
    const holding = await openTransaction(it.app.store, (db) => hold({ ...it.app, db }, it.id, 'Ben', 'wait'))
    const approving = refusal(approve(it.others, it.id, 'Mira', { seen }))
    await waitUntilDoneOrLocked(it.other, approving)
    await holding.commit()
    expect(await approving).toBeInstanceOf(EditionChanged)
    expect([await it.status(), await it.decisions()]).toEqual(['held', ['Put on hold: wait']])
  })

  test('made twice at once is made once', async () => {
    const it = await open()
    const seen = await it.seen()
    const first = await openTransaction(it.app.store, (db) => approve({ ...it.app, db }, it.id, 'Mira', { seen }))
    const second = refusal(approve(it.others, it.id, 'Mira', { seen }))
    await waitUntilDoneOrLocked(it.other, second)
    await first.commit()
    expect(await second).toBeInstanceOf(EditionChanged)
    expect(await it.decisions()).toEqual(['Approved'])
  })

  test('to stop holds what waits or is approved, and pauses what is being sent', async () => {
    const it = await open()
    await stop(it.app, it.id, 'Mira', 'one')
    await approve(it.app, it.id, 'Mira')
    await stop(it.app, it.id, 'Mira', 'two')
    await approve(it.app, it.id, 'Mira')
    await it.become('sending')
    await stop(it.app, it.id, 'Mira', 'three')
    expect(await it.decisions()).toEqual([
      'Put on hold: one',
      'Approved',
      'Put on hold: two',
      'Approved',
      'Paused: three',
    ])
    expect((await refusal(stop(it.app, it.id, 'Ben', 'four')))?.toString()).toContain('is paused')
  })

  test('to stop that waits for the sending to begin pauses it', async () => {
    const it = await open()
    await approve(it.app, it.id, 'Mira')
    const beginning = await openTransaction(it.app.store, (db) =>
      db.updateTable('editions').set({ status: 'sending' }).where('id', '=', it.id).execute(),
    )
    const stopping = stop(it.others, it.id, 'Mira', 'wrong')
    await waitUntilDoneOrLocked(it.other, stopping)
    await beginning.commit()
    await stopping
    expect([await it.status(), (await it.decisions()).at(-1)]).toEqual(['paused', 'Paused: wrong'])
  })
})
