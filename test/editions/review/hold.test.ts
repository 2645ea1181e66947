import { afterEach, expect, test } from 'vitest'
import type { PageCheck } from '../../../src/articles/recheck-page.ts'
import { compose, composeDryRun } from '../../../src/editions/compose/compose.ts'
import { cancelUnapproved } from '../../../src/editions/compose/replace.ts'
import { editEdition, undoEdit } from '../../../src/editions/edits/edit-edition.ts'
import { ensureSealed } from '../../../src/editions/ensure-sealed.ts'
import { retractArticle } from '../../../src/editions/retract.ts'
import { approve, approveByRule } from '../../../src/editions/review/approve.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { hold } from '../../../src/editions/review/pause.ts'
import { seal } from '../../../src/editions/seal.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { editsOf } from '../../../src/store/editions/edits.ts'
import { openStore } from '../../../src/store/open.ts'
import type { EditionRow } from '../../../src/store/schema.ts'
import { day, hour } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openTransaction, waitUntilDoneOrLocked } from '../../support/databases/locks.ts'
import { inWords } from '../../support/history.ts'
import { newsFeed, openWorld, plainRender, publishTitles } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const address = (title: string) => `https://magazine.example/${title.toLowerCase()}`
const court = 'Wait for the court'

onBothEngines('a hold by a person', (freshUrl) => {
  /** A composed edition of four articles, approved by a rule after its seal. */
  async function open(thin = '{ minimum: 4, rule: skip }') {
    const storeUrl = await freshUrl()
    const it = await openWorld({ storeUrl, job: { thin, lateCheck: 'true', approval: 'auto' } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['Harbour', 'Library', 'Council', 'Trams'])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const gone = new Set<string>()
    const check = async (url: string): Promise<PageCheck> =>
      gone.has(url) ? { kind: 'gone', reason: 'it is gone', isLasting: true } : { kind: 'unknown', reason: '' }
    const needs = { ...it.app, render: plainRender, check }
    const sealed = () => seal(needs, id, it.digest)
    const edition = async () => (await editionById(it.app.db, id)) as EditionRow
    /** What the timetable does with an unsent edition. */
    const prepare = async () => {
      await ensureSealed(needs, await edition(), it.digest)
      await approveByRule(it.app, id, 'rule')
      const { status, heldBy, reason } = inWords(await edition()) ?? {}
      return { status, heldBy, reason }
    }
    const idOf = async (title: string) =>
      (await it.app.db.selectFrom('articles').select('id').where('title', '=', title).executeTakeFirstOrThrow()).id
    const subject = () => editEdition(it.app, id, { kind: 'subject', text: 'Our words' }, 'jo')
    const drop = async (title: string) => editEdition(it.app, id, { kind: 'drop', target: await idOf(title) }, 'jo')
    const holdNow = () => hold(it.app, id, 'mira', court)
    return { it, id, storeUrl, gone, needs, sealed, edition, prepare, subject, drop, holdNow }
  }

  const held = { status: 'held', heldBy: 'mira', reason: court }
  const short = {
    ...held,
    reason: expect.stringMatching(/^Wait for the court; 3 new articles \(this digest needs 4\); 1 pending/),
  }

  test.each(['skip', 'hold'])('outlasts an edit by a colleague and a page that is gone (%s)', async (rule) => {
    const { id, it, sealed, gone, subject, prepare, holdNow } = await open(`{ minimum: 4, rule: ${rule} }`)
    await sealed()
    await holdNow()
    await subject()
    gone.add(address('Trams'))
    expect(await prepare()).toEqual(short)
    expect(await editsOf(it.app.db, id)).toHaveLength(1)
    await approve(it.app, id, 'ada')
    expect(await prepare()).toEqual({ status: 'approved', heldBy: null, reason: null })
  })

  test.each(['send', 'skip'])('outlasts a new date and a page that is gone (%s)', async (rule) => {
    const { it, sealed, gone, prepare, holdNow } = await open(`{ minimum: 4, rule: ${rule} }`)
    await sealed()
    await holdNow()
    gone.add(address('Trams'))
    it.clock.advance(day)
    expect(await prepare()).toEqual(rule === 'send' ? held : short)
  })

  test('outlasts the retraction of an article, and is not skipped', async () => {
    const { it, sealed, prepare, holdNow } = await open()
    await sealed()
    await holdNow()
    await retractArticle(it.app, address('Trams'), { who: 'ada', reason: 'wrong' })
    expect(await prepare()).toEqual(short)
  })

  test('keeps its reason, with a shortage only while there is one', async () => {
    const { it, id, sealed, prepare, drop, holdNow } = await open('{ minimum: 4, rule: hold }')
    await sealed()
    await holdNow()
    const { number } = await drop('Trams')
    expect(await prepare()).toEqual(short)
    await drop('Council')
    expect((await prepare()).reason).toMatch(/^Wait for the court; 2 new articles \(this digest needs 4\); 2 pending/)
    for (const one of [number, number + 1]) await undoEdit(it.app, id, one, 'jo')
    expect(await prepare()).toEqual(held)
  })

  test('is possible before the edition is sealed and while it is sealed again', async () => {
    const { it, id, sealed, subject, prepare, holdNow } = await open()
    await holdNow()
    expect(await prepare()).toEqual(held)
    await approve(it.app, id, 'ada')
    await hold(it.app, id, 'ben', 'a wrong name')
    await subject()
    await approve(it.app, id, 'ada').catch(() => undefined)
    await holdNow()
    await sealed()
    expect(await prepare()).toEqual(held)
  })

  test('and a cancellation are kept when they are made while the email is rendered', async () => {
    const { it, id, needs, prepare, holdNow, edition, subject } = await open()
    await seal({ ...needs, render: (draft) => holdNow().then(() => plainRender(draft)) }, id, it.digest)
    expect(await prepare()).toEqual(held)
    await subject()
    const ended = () => cancel(it.app, id, 'ada', 'old news')
    await seal({ ...needs, render: (draft) => ended().then(() => plainRender(draft)) }, id, it.digest)
    expect((await edition()).status).toBe('cancelled')
  })

  test('of this moment keeps an edition from being replaced', async () => {
    const { it, id, storeUrl, sealed, prepare } = await open()
    await sealed()
    const other = await openStore(storeUrl, it.clock)
    closing.push(other.close)
    it.clock.advance(hour)
    const now = it.clock.now()
    const holding = await openTransaction(it.app.store, (db) => hold({ ...it.app, db }, id, 'mira', court))
    const replacing = other.db.transaction().execute((db) => cancelUnapproved(db, 'weekly', now, now))
    await waitUntilDoneOrLocked(other, replacing)
    await holding.commit()
    await replacing.catch(() => undefined) // SQLite refuses the second writer
    expect(await prepare()).toEqual(held)
  })
})

onBothEngines('a hold by a rule', (freshUrl) => {
  test('ends when the reason of the rule does', async () => {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { thin: '{ minimum: 3, rule: hold }' } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['Harbour', 'Library'])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const sealed = async () => inWords(await seal({ ...it.app, render: plainRender }, id, it.digest))
    expect(await sealed()).toMatchObject({ status: 'held', reason: '2 new articles (this digest needs 3)' })
    await publishTitles(it, newsFeed, ['Trams', 'Council'])
    await composeDryRun(it.app, it.digest) // adds them to the ledger
    await retractArticle(it.app, address('Library'), { who: 'ada', reason: 'wrong' })
    expect(await sealed()).toMatchObject({ status: 'sealed', reason: null })
  })
})
