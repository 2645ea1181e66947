import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { explain } from '../../src/editions/explain.ts'
import { restoreArticle, retractArticle } from '../../src/editions/retract.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { cancel } from '../../src/editions/review/cancel.ts'
import { hold, pause, resume } from '../../src/editions/review/pause.ts'
import { currentRevision } from '../../src/editions/review/revision.ts'
import { seal } from '../../src/editions/seal.ts'
import { retractedIn } from '../../src/store/articles/retractions.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById, moveEdition } from '../../src/store/editions/editions.ts'
import { variantsOf, withdrawnVariants } from '../../src/store/editions/variants.ts'
import type { EditionRow, EditionStatus } from '../../src/store/schema.ts'
import { day, minute } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory, inWords } from '../support/history.ts'
import { newsFeed, openWorld, opinionFeed, plainRender, publishTitles, type World } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const bad = 'https://magazine.example/the-minister-resigns'
const decision = { who: 'Ada', reason: 'the minister did not' }

onBothEngines('an article that is retracted', (freshUrl) => {
  async function open(titles = ['The minister resigns', 'Two', 'Three', 'Four'], job: Record<string, string> = {}) {
    const it = await openWorld({ storeUrl: await freshUrl(), job })
    closing.push(it.close)
    await publishTitles(it, newsFeed, titles)
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const needs = { ...it.app, render: plainRender }
    const edition = async () => {
      const found = await editionById(it.app.db, id)
      if (!found) throw new Error('no edition')
      return found
    }
    const sealed = () => seal(needs, id, it.digest)
    const pull = () => retractArticle(it.app, bad, decision)
    return { it, id, needs, edition, sealed, pull, titles: () => chosenIn(it, id) }
  }

  test('is not chosen by any edition after, says why, and is pending again when it is restored', async () => {
    const { it, pull } = await open()
    await pull()
    it.clock.advance(day)
    const next = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, next?.id ?? '')).toEqual(['Two', 'Three', 'Four'])
    const passed = (await choicesOf(it.app.db, next?.id ?? '')).find(({ position }) => position === null)
    expect(inWords(passed)?.reason).toBe('removed by Ada: the minister did not')
    const [answer] = await explain(it.app.db, it.app.digests, bad)
    expect(answer?.answer).toMatch(
      /^in none: retracted on 2026-.* by Ada: the minister did not; no edition chooses it$/,
    )
    await restoreArticle(it.app, bad, 'Mira')
    it.clock.advance(day)
    const later = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, later?.id ?? '')).toContain('The minister resigns')
  })

  test('stays out when it comes back in another feed', async () => {
    const { it, pull } = await open()
    await pull()
    it.clock.advance(day)
    await publishTitles(it, opinionFeed, ['An opinion'])
    await compose(it.app, it.digest, it.clock.now()) // the feed is met, so that what follows is no backlog
    it.clock.advance(minute)
    await publishTitles(it, opinionFeed, ['The minister resigns'])
    it.clock.advance(day)
    const next = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, next?.id ?? '')).toEqual(['Two', 'Three', 'Four', 'An opinion'])
  })

  test.each(['composed', 'sealed', 'approved'] as const)(
    'leaves an edition that is %s: it is chosen again, and what was sealed is kept as evidence',
    async (status) => {
      const { it, id, edition, sealed, pull, titles } = await open()
      if (status !== 'composed') await sealed()
      if (status === 'approved') await approve(it.app, id, 'Mira')
      const [before] = await variantsOf(it.app.db, id)
      expect((await pull()).map(({ message: words }) => words)).toEqual([
        'weekly 1 is chosen again without it: composed',
      ])
      expect(await edition()).toMatchObject({ status: 'composed', approvedAt: null, sealedAt: null, reason: null })
      expect(await titles()).toEqual(['Two', 'Three', 'Four'])
      expect(await variantsOf(it.app.db, id)).toEqual([])
      const kept = (await withdrawnVariants(it.app.db, id)).map(({ sha256 }) => sha256)
      expect(kept).toEqual(before ? [before.sha256] : [])
      const record = (await editionHistory(it.app.db, id)).find(({ who }) => who === 'Ada')
      expect(record?.what).toMatch(
        /^Removed “The minister resigns”: the minister did not; the articles are chosen again/,
      )
      if (before) expect(record?.what).toContain(before.sha256)
      expect(await sealed()).toMatchObject({ status: 'sealed', subject: 'Two' })
      expect((await variantsOf(it.app.db, id))[0]?.sha256).not.toBe(before?.sha256)
    },
  )

  test('that was the last straw makes the edition thin, by the same rule as ever', async () => {
    const { edition, sealed, pull } = await open(['The minister resigns', 'Two'])
    await sealed()
    await pull()
    expect(inWords(await edition())).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/^1 new article \(this digest needs/),
    })
  })

  test('leaves an edition that somebody holds, which stays held for its reason', async () => {
    const { it, id, edition, sealed, pull, titles } = await open()
    await sealed()
    await hold(it.app, id, 'Mira', 'wait for the budget')
    await pull()
    expect(inWords(await sealed())).toMatchObject({ status: 'held', reason: 'wait for the budget' })
    expect([(await edition()).approvedAt, await titles()]).toEqual([null, ['Two', 'Three', 'Four']])
  })

  test('is not approved by somebody who looked at the edition with it', async () => {
    const { it, id, edition, sealed, pull } = await open()
    await sealed()
    const seen = await currentRevision(it.app.db, (await edition()) as EditionRow)
    await pull()
    await sealed()
    await expect(approve(it.app, id, 'Mira', { seen })).rejects.toThrow(
      /has changed since you looked at it: Ada \(Removed/,
    )
    expect((await edition()).status).toBe('sealed')
    const now = await currentRevision(it.app.db, (await edition()) as EditionRow)
    await approve(it.app, id, 'Mira', { seen: now })
    expect((await edition()).status).toBe('approved')
  })

  test('stops an edition that is being sent, which is not resumed with it but by somebody who says so', async () => {
    const { it, id, edition, sealed, pull, titles } = await open()
    await sealed()
    await approve(it.app, id, 'Mira')
    await become(it, id, 'sending')
    expect((await pull()).map(({ message: words }) => words)).toEqual([
      'weekly 1 is paused in the middle of its sending',
    ])
    const reason = '“The minister resigns” was removed by Ada: the minister did not'
    expect(inWords(await edition())).toMatchObject({ status: 'paused', reason })
    expect((await titles()).length).toBe(4)
    expect(await retractedIn(it.app.db, id)).toMatchObject([{ title: 'The minister resigns', who: 'Ada' }])
    await expect(resume(it.app, id, 'Mira')).rejects.toThrow(
      'weekly 1 holds “The minister resigns”, which was retracted',
    )
    await expect(approve(it.app, id, 'Mira')).rejects.toThrow('it can be resumed')
    expect((await edition()).status).toBe('paused')
    await resume(it.app, id, 'Mira', { anyway: true })
    expect((await edition()).status).toBe('sending')
    expect((await editionHistory(it.app.db, id)).at(-1)?.what).toBe(
      'Sending resumed, with “The minister resigns” in it, which was removed',
    )
  })

  test('and restored lets the edition that stopped for it go on', async () => {
    const { it, id, edition, sealed, pull } = await open()
    await sealed()
    await approve(it.app, id, 'Mira')
    await become(it, id, 'sending')
    await pause(it.app, id, 'Mira', 'a moment')
    expect((await pull())[0]?.message).toContain('was already paused')
    await restoreArticle(it.app, bad, 'Mira')
    await resume(it.app, id, 'Mira')
    expect((await edition()).status).toBe('sending')
    expect((await editionHistory(it.app.db, id)).map(({ what }) => what)).toContain('Put back “The minister resigns”')
  })

  test('does not come back when the edition that stopped for it is cancelled; the others do', async () => {
    const { it, id, sealed, pull } = await open()
    await sealed()
    await approve(it.app, id, 'Mira')
    await become(it, id, 'sending')
    await pull()
    await cancel(it.app, id, 'Mira', 'not worth it')
    it.clock.advance(day)
    const next = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, next?.id ?? '')).toEqual(['Two', 'Three', 'Four'])
  })

  test('after it went out is on record, and the edition stays as it was read', async () => {
    const { it, id, edition, sealed, pull, titles } = await open()
    await sealed()
    await become(it, id, 'sent')
    expect((await pull())[0]?.message).toBe('weekly 1 was sent with it already')
    expect([(await edition()).status, (await titles()).length]).toEqual(['sent', 4])
    const [answer] = await explain(it.app.db, it.app.digests, bad)
    expect(answer?.answer).toMatch(/^in edition 1 \(sent\), section latest; retracted on /)
  })

  test('in the very moment of a seal is never sealed', async () => {
    const { it, needs, id, edition, titles } = await open()
    let pulled: Promise<unknown> | undefined
    const render: typeof plainRender = async (draft) => {
      pulled ??= retractArticle(it.app, bad, decision)
      await pulled
      return plainRender(draft)
    }
    await seal({ ...needs, render }, id, it.digest)
    expect([(await edition()).status, await titles()]).toEqual(['sealed', ['Two', 'Three', 'Four']])
  })

  test('is retracted once and restored once, and only what is known can be retracted', async () => {
    const { it, pull } = await open()
    const missing = retractArticle(it.app, 'https://magazine.example/nothing', decision)
    await expect(missing).rejects.toThrow('no article has the address https://magazine.example/nothing')
    await expect(restoreArticle(it.app, bad, 'Mira')).rejects.toThrow('is not retracted')
    const results = await Promise.allSettled([pull(), pull()])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(pull()).rejects.toThrow('“The minister resigns” is already retracted')
    await restoreArticle(it.app, bad, 'Mira')
    await pull()
  })
})

async function chosenIn({ app }: World, id: string): Promise<string[]> {
  const choices = await choicesOf(app.db, id)
  const sections = ['latest', 'last-word']
  const chosen = choices.filter(({ position }) => position !== null)
  return sections.flatMap((name) => chosen.filter(({ section }) => section === name).map(({ title }) => title))
}

async function become({ app, clock }: World, id: string, status: EditionStatus): Promise<void> {
  await moveEdition(app.db, id, ['sealed', 'approved'], { status, audienceAt: clock.now() })
}
