import { afterEach, expect, test } from 'vitest'
import type { PageCheck } from '../../../src/articles/recheck-page.ts'
import { describeEvent, describeReason } from '../../../src/describe/describe.ts'
import { itemOf } from '../../../src/editions/choice/choice.ts'
import { chooseAgain } from '../../../src/editions/compose/choose-again.ts'
import { compose, composeDryRun } from '../../../src/editions/compose/compose.ts'
import { draftOf } from '../../../src/editions/compose/draft.ts'
import { detectInFeeds } from '../../../src/editions/corrections/detect.ts'
import { articlesIn } from '../../../src/editions/edition.ts'
import { editFromRow } from '../../../src/editions/edits/edit.ts'
import { editEdition, undoEdit } from '../../../src/editions/edits/edit-edition.ts'
import { editStatuses } from '../../../src/editions/edits/edit-status.ts'
import type { TypedEdit } from '../../../src/editions/edits/read-edit.ts'
import { ensureSealed } from '../../../src/editions/ensure-sealed.ts'
import { explain } from '../../../src/editions/explain.ts'
import { createLetter } from '../../../src/editions/letters/letters.ts'
import { retractArticle } from '../../../src/editions/retract.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { hold } from '../../../src/editions/review/pause.ts'
import { currentRevision, EditionChanged } from '../../../src/editions/review/revision.ts'
import { seal } from '../../../src/editions/seal.ts'
import { simulate } from '../../../src/editions/simulation/simulate.ts'
import { choicesOf, chosenOf } from '../../../src/store/editions/choices.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { editsOf } from '../../../src/store/editions/edits.ts'
import { variantsOf } from '../../../src/store/editions/variants.ts'
import { openStore } from '../../../src/store/open.ts'
import type { EditionRow } from '../../../src/store/schema.ts'
import { day, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openTransaction, waitUntilDoneOrLocked } from '../../support/databases/locks.ts'
import { editionHistory, inWords } from '../../support/history.ts'
import { newsFeed, openWorld, opinionFeed, plainRender, publishTitles, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const news = ['Harbour', 'Library', 'Council', 'Trams', 'Budget', 'School', 'Market']
const address = (title: string) => `https://magazine.example/${title.toLowerCase()}`

onBothEngines('an edit of an edition', (freshUrl) => {
  async function open({ job = {}, titles = news }: { job?: Record<string, string>; titles?: string[] } = {}) {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { approval: 'required', ...job } })
    closing.push(it.close)
    await publishTitles(it, newsFeed, titles.slice(0, 5))
    await publishTitles(it, opinionFeed, ['Opinion', 'Second thoughts'])
    await composeDryRun(it.app, it.digest) // the feeds are known now: what comes later is no backlog
    await publishTitles(it, newsFeed, titles)
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const needs = { ...it.app, render: plainRender }
    const edition = async () => (await editionById(it.app.db, id)) as EditionRow
    const sealed = () => seal(needs, id, it.digest)
    await sealed()
    const idOf = async (title: string) =>
      (await it.app.db.selectFrom('articles').select('id').where('title', '=', title).executeTakeFirstOrThrow()).id
    const edit = async (typed: TypedEdit, who = 'mira') => editEdition(it.app, id, typed, who)
    const about = async (kind: string, title: string, more: Partial<TypedEdit> = {}) =>
      edit({ kind, target: await idOf(title), ...more })
    const text = async () => (await variantsOf(it.app.db, id))[0]?.text ?? ''
    const draft = () => draftOf(it.app, id, it.digest)
    const titlesIn = (section: string) => chosenIn(it, id, section)
    const statuses = async () => {
      const edits = (await editsOf(it.app.db, id)).map(editFromRow)
      const known = editStatuses(edits, await choicesOf(it.app.db, id), ['latest', 'last-word', 'have-your-say'])
      return edits.map((one) => known.get(one.id))
    }
    const state = async () =>
      (await choicesOf(it.app.db, id)).map(({ articleId, section, position, reason }) => [
        articleId,
        section,
        position,
        describeReason(reason),
      ])
    return { it, id, needs, edition, sealed, idOf, edit, about, text, draft, titlesIn, statuses, state }
  }

  const refusal = (promise: Promise<unknown>) => promise.then(() => undefined).catch((error: unknown) => error as Error)

  test('that drops an article frees its place, says who did it, and the article is pending for the next edition', async () => {
    const { it, id, about, titlesIn, sealed, edition } = await open()
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Library', 'Council', 'Trams', 'Budget'])
    await about('drop', 'Library')
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Council', 'Trams', 'Budget', 'School'])
    expect(await sealed()).toMatchObject({ status: 'sealed', revision: 2 })
    const dropped = (await choicesOf(it.app.db, id)).find(({ title }) => title === 'Library')
    expect(inWords(dropped)).toMatchObject({ position: null, reason: 'dropped by mira', lastAt: null })
    const [answer] = await explain(it.app.db, it.app.digests, address('Library'))
    expect(answer?.answer).toBe('pending: edition 1 (sealed) passed it over: dropped by mira')
    expect(answer?.edits).toEqual(['edition 1: mira dropped “Library”'])
    await approve(it.app, id, 'Ada')
    it.clock.advance(day)
    const next = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, next?.id ?? '', 'latest')).toEqual(['Library', 'Market'])
    expect((await edition()).status).toBe('approved')
  })

  test('that excludes an article keeps it out of every later edition, also after a cancelled one, until it is taken back', async () => {
    const { it, id, about, sealed } = await open()
    const { number } = await about('exclude', 'Library')
    await sealed()
    await cancel(it.app, id, 'Ada', 'wrong day')
    it.clock.advance(day)
    const second = await compose(it.app, it.digest, it.clock.now())
    const choice = (await choicesOf(it.app.db, second?.id ?? '')).find(({ title }) => title === 'Library')
    expect(inWords(choice)).toMatchObject({ position: null, reason: 'dropped by mira, also from every later edition' })
    const dry = await composeDryRun(it.app, it.digest)
    expect(dry.choices.find((choice) => itemOf(choice).title === 'Library')?.position).toBeNull()
    await cancel(it.app, second?.id ?? '', 'Ada', 'wrong day')
    await undoEdit(it.app, id, number, 'Ada')
    it.clock.advance(day)
    const third = await compose(it.app, it.digest, it.clock.now())
    expect(await chosenIn(it, third?.id ?? '', 'latest')).toContain('Library')
  })

  test('that excludes an article makes it backlog once the edition is sealed, and free when that is taken back later', async () => {
    const { it, id, about, sealed, idOf } = await open()
    const { number } = await about('exclude', 'Library')
    await sealed()
    const backlogAt = async () =>
      (
        await it.app.db
          .selectFrom('ledger')
          .select('backlogAt')
          .where('articleId', '=', await idOf('Library'))
          .executeTakeFirst()
      )?.backlogAt
    expect(await backlogAt()).not.toBeNull()
    await it.app.db.updateTable('editions').set({ status: 'sent' }).where('id', '=', id).execute()
    await undoEdit(it.app, id, number, 'Ada')
    expect(await backlogAt()).toBeNull()
  })

  test('that pins an article keeps it in whatever else there is, and within the maximum of its section', async () => {
    const { it, about, titlesIn, id, sealed } = await open()
    await about('pin', 'Market')
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Library', 'Council', 'Trams', 'Market'])
    const budget = (await choicesOf(it.app.db, id)).find(({ title }) => title === 'Budget')
    expect(inWords(budget)?.reason).toBe(
      'the section is full: 4 newer articles come before it, and one place is reserved by an editor',
    )
    const market = (await choicesOf(it.app.db, id)).find(({ title }) => title === 'Market')
    expect(inWords(market)?.reason).toMatch(/; pinned by mira$/)
    await sealed()
    const [answer] = await explain(it.app.db, it.app.digests, address('Market'))
    expect(answer).toMatchObject({ edition: 1, edits: ['edition 1: mira pinned “Market” in latest'] })
  })

  test('changes nothing else: what came in since the edition was made waits for the next one', async () => {
    const { it, about, titlesIn } = await open()
    it.clock.advance(minute)
    await publishTitles(it, newsFeed, ['Breaking', 'Newer still'])
    await composeDryRun(it.app, it.digest)
    await about('drop', 'Library')
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Council', 'Trams', 'Budget', 'School'])
    await about('pin', 'Breaking')
    expect(await titlesIn('latest')).toEqual(['Breaking', 'Harbour', 'Council', 'Trams', 'Budget'])
  })

  test('made days later chooses as of the time of composition, however old the articles are by then', async () => {
    const latest = `{ name: latest, title: Latest, layout: latest, feeds: [${newsFeed}], maximum: 5, freshness: 3d }`
    const { it, about, titlesIn } = await open({ job: { sections: `\n  - ${latest}` } })
    it.clock.advance(4 * day)
    await about('drop', 'Library')
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Council', 'Trams', 'Budget', 'School'])
  })

  test('that moves an article takes it to the other section, where it stays, and reorders as told', async () => {
    const { about, edit, titlesIn, idOf, it } = await open()
    await about('move', 'Council', { section: 'last-word' })
    expect(await titlesIn('last-word')).toEqual(['Opinion', 'Council'])
    expect(await titlesIn('latest')).toEqual(['Harbour', 'Library', 'Trams', 'Budget', 'School'])
    await edit({ kind: 'order', target: 'last-word', articles: [await idOf('Council')] })
    await edit({ kind: 'order', target: 'latest', articles: [await idOf('School'), await idOf('Trams')] })
    expect(await titlesIn('last-word')).toEqual(['Council', 'Opinion'])
    expect(await titlesIn('latest')).toEqual(['School', 'Trams', 'Harbour', 'Library', 'Budget'])
    await retractArticle(it.app, address('Trams'), { who: 'Ada', reason: 'wrong' })
    expect(await titlesIn('latest')).toEqual(['School', 'Harbour', 'Library', 'Budget', 'Market'])
  })

  test('of words, picture and texts is in the draft, in the newest wording, and taken back one by one', async () => {
    const { about, edit, draft, it, id } = await open()
    const before = await draft()
    await about('reword', 'Harbour', { title: 'The harbour opens', summary: 'At last.' })
    await about('reword', 'Harbour', { title: 'The harbour is open' })
    await about('picture', 'Harbour', { picture: 'https://magazine.example/h.jpg', alt: 'Ships' })
    await edit({ kind: 'introduction', text: 'Dear reader\n\nwelcome' })
    await edit({ kind: 'subject', text: 'Our {lead}' })
    await edit({ kind: 'preheader', text: '' })
    await edit({
      kind: 'block',
      heading: 'Come and see',
      text: 'On Monday.',
      link: 'https://magazine.example/x',
      before: 'last-word',
    })
    const after = await draft()
    expect(articlesIn(after?.sections ?? [])[0]).toMatchObject({
      title: 'The harbour is open',
      feedTitle: 'Harbour',
      summary: 'At last.',
      image: { url: 'https://magazine.example/h.jpg', alt: 'Ships', width: null, height: null },
    })
    expect(after?.digest.introduction).toBe('Dear reader\n\nwelcome')
    expect(after?.edited).toMatchObject({ subject: 'Our {lead}', preheader: '', blocks: [{ heading: 'Come and see' }] })
    await undoEdit(it.app, id, 2, 'mira')
    expect(articlesIn((await draft())?.sections ?? [])[0]?.title).toBe('The harbour opens')
    for (const number of [1, 3, 4, 5, 6, 7]) await undoEdit(it.app, id, number, 'Ada')
    const { edited, edition: _edition, ...rest } = (await draft()) as NonNullable<typeof after>
    const { edition: _before, ...restBefore } = before as NonNullable<typeof after>
    expect([edited, rest]).toEqual([undefined, restBefore])
  })

  test.each([
    ['drop', { title: 'Library' }],
    ['exclude', { title: 'Library' }],
    ['pin', { title: 'Market' }],
    ['move', { title: 'Council', section: 'last-word' }],
    ['order', { title: 'Budget' }],
  ])('of kind %s that is taken back leaves the choice as it was', async (kind, { title, ...more }) => {
    const { it, id, edit, idOf, state, statuses } = await open()
    const before = await state()
    const target =
      kind === 'order' ? { target: 'latest', articles: [await idOf(title)] } : { target: await idOf(title) }
    const { number } = await edit({ kind, ...target, ...more })
    expect(await state()).not.toEqual(before)
    await undoEdit(it.app, id, number, 'Ada')
    expect([await state(), await statuses()]).toEqual([before, ['undone']])
    const lines = (await editionHistory(it.app.db, id)).filter(({ who }) => who !== 'system').map(({ what }) => what)
    expect(lines[1]?.toLowerCase()).toBe(`change undone: ${lines[0]?.toLowerCase()}`)
  })

  test('survives a retraction, the late check and a new seal; one whose article is gone is kept and says so', async () => {
    const { it, id, needs, about, edit, edition, statuses, titlesIn, draft } = await open({
      job: { lateCheck: 'true' },
    })
    await about('pin', 'Market')
    await about('drop', 'Library')
    await about('reword', 'Harbour', { title: 'The harbour is open' })
    await about('reword', 'Council', { title: 'Council votes' })
    await edit({ kind: 'subject', text: 'By hand' })
    const there = (): PageCheck => ({ kind: 'unknown', reason: '' })
    const check = async (url: string): Promise<PageCheck> =>
      url === address('Trams') ? { kind: 'gone', reason: 'it is gone', isLasting: true } : there()
    await seal({ ...needs, check }, id, it.digest)
    expect(await titlesIn('latest')).toEqual(['The harbour is open', 'Council votes', 'Budget', 'School', 'Market'])
    await retractArticle(it.app, address('Council'), { who: 'Ada', reason: 'wrong' })
    it.clock.advance(day) // the next seal bears another day
    await seal({ ...needs, check }, id, it.digest)
    it.clock.advance(day)
    const again = await ensureSealed({ ...needs, check }, await edition(), it.digest)
    expect(again).toMatchObject({ status: 'sealed', revision: 4 })
    expect(await titlesIn('latest')).toEqual(['The harbour is open', 'Budget', 'School', 'Market'])
    expect(await statuses()).toEqual(['applies', 'applies', 'applies', 'gone', 'applies'])
    expect((await draft())?.edited?.subject).toBe('By hand')
  })

  test('made while the email is rendered is in the email that is sealed', async () => {
    const { it, id, about, needs, text } = await open()
    await about('drop', 'Library')
    let edited = false
    const render: typeof plainRender = async (draft) => {
      if (!edited) {
        edited = true
        await about('reword', 'Harbour', { title: 'The harbour is open' })
      }
      return plainRender(draft)
    }
    expect(await seal({ ...needs, render }, id, it.digest)).toMatchObject({ status: 'sealed', revision: 2 })
    expect(await text()).toContain('The harbour is open')
  })

  test('that is committed while the edition is chosen again is not lost', async () => {
    const { it, id, edition, titlesIn, about, idOf } = await open()
    await about('drop', 'Budget') // composed again
    const other = await openStore(it.app.config.store.url, it.clock)
    closing.push(other.close)
    const target = await idOf('Library')
    const editing = await openTransaction(it.app.store, async (db) => {
      await editEdition({ ...it.app, db }, id, { kind: 'drop', target }, 'mira')
    })
    const choosing = chooseAgain({ ...it.app, db: other.db }, await edition(), it.digest)
    await waitUntilDoneOrLocked(other, choosing)
    await editing.commit()
    await choosing
    expect(await titlesIn('latest')).not.toContain('Library')
  })

  test('is refused with what to do once the edition is approved, is being sent, or has ended', async () => {
    const { it, id, about, edition } = await open()
    await approve(it.app, id, 'Ada')
    const approved = await refusal(about('drop', 'Library'))
    expect(approved).toMatchObject({ code: 'conflict', hint: expect.stringContaining('Put it on hold first') })
    await hold(it.app, id, 'Ada', 'wait')
    await about('drop', 'Library')
    expect(inWords(await edition())).toMatchObject({ status: 'composed', reason: 'wait', heldBy: 'Ada' })
    await about('drop', 'Harbour')
    expect(inWords(await seal({ ...it.app, render: plainRender }, id, it.digest))).toMatchObject({
      status: 'held',
      reason: 'wait',
    })
    for (const [status, words] of [
      ['sending', 'is being sent'],
      ['sent', 'is sent'],
      ['cancelled', 'is cancelled'],
    ] as const) {
      await it.app.db.updateTable('editions').set({ status }).where('id', '=', id).execute()
      expect(await refusal(about('drop', 'Council'))).toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(words),
      })
      expect(await refusal(undoEdit(it.app, id, 1, 'mira'))).toMatchObject({ code: 'conflict' })
    }
  })

  test('that would leave too little for an edition is refused, and nothing is changed', async () => {
    const { it, id, about, state, edition } = await open({
      titles: ['Harbour'],
      job: { thin: '{ minimum: 3, rule: skip }' },
    })
    const before = await state()
    const error = await refusal(about('drop', 'Harbour'))
    expect(error).toMatchObject({
      code: 'conflict',
      message: 'then the edition would be too short: 2 new articles (this digest needs 3)',
    })
    expect([await state(), (await edition()).status, await editsOf(it.app.db, id)]).toEqual([before, 'sealed', []])
  })

  test('that pins what cannot be included says why, and nothing is changed', async () => {
    const { it, id, about, edit, idOf } = await open()
    await retractArticle(it.app, address('Market'), { who: 'Ada', reason: 'wrong' })
    expect((await refusal(about('pin', 'Market')))?.message).toBe('“Market” cannot be included: removed by Ada: wrong')
    expect(await refusal(edit({ kind: 'pin', target: id }))).toMatchObject({ code: 'missing' })
    await publishTitles(it, 'https://elsewhere.example/feed.xml', ['Elsewhere'])
    expect((await refusal(about('pin', 'Elsewhere', { section: 'latest' })))?.message).toBe(
      '“Elsewhere” cannot be included: it is in no feed of weekly',
    )
    for (const title of ['Opinion', 'Second thoughts']) await about('pin', title)
    expect((await refusal(about('move', 'Harbour', { section: 'last-word' })))?.message).toBe(
      'last-word holds at most 2, and 2 are pinned there already',
    )
    expect((await editsOf(it.app.db, id)).map(({ kind }) => kind)).toEqual(['pin', 'pin'])
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['Tomorrow', 'Weather'])
    const next = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const pinned = editEdition(it.app, next, { kind: 'pin', target: await idOf('Harbour') }, 'mira')
    expect((await refusal(pinned))?.message).toBe('“Harbour” cannot be included: it is in edition 1 already')
  })

  test('makes a new revision: an approval of the one before is a conflict that says what changed', async () => {
    const { it, id, about, edition, sealed } = await open()
    const seen = await currentRevision(it.app.db, await edition())
    await about('reword', 'Harbour', { title: 'The harbour is open' })
    await sealed()
    const error = await refusal(approve(it.app, id, 'Ada', { seen }))
    expect(error).toBeInstanceOf(EditionChanged)
    expect(error?.message).toBe(
      'weekly 1 has changed since you looked at it: mira (Reworded the headline “Harbour” as “The harbour is open”)',
    )
    const now = await currentRevision(it.app.db, await edition())
    expect([seen.revision, now.revision]).toEqual([1, 2])
    await approve(it.app, id, 'Ada', { seen: now })
    expect((await edition()).status).toBe('approved')
  })

  test('from a page that another editor has overtaken is refused, but not because the program sealed the edition', async () => {
    const { it, id, about, edit, edition, sealed, idOf } = await open()
    await about('drop', 'Library')
    const seen = await currentRevision(it.app.db, await edition())
    await sealed()
    const target = await idOf('Trams')
    await editEdition(it.app, id, { kind: 'drop', target }, 'mira', { seen })
    const error = await refusal(editEdition(it.app, id, { kind: 'subject', text: 'Mine' }, 'Ben', { seen }))
    expect(error).toBeInstanceOf(EditionChanged)
    expect((error as EditionChanged).changes.map(describeEvent)).toEqual(['Dropped “Trams”'])
    await editEdition(it.app, id, { kind: 'drop', target }, 'mira', { seen }) // a second press of the same button
    expect(await editsOf(it.app.db, id)).toHaveLength(2)
    await edit({ kind: 'subject', text: 'Mine' }, 'Ben')
  })

  test('is not undone from a page that another editor has overtaken', async () => {
    const { it, id, about, edit, edition, statuses } = await open()
    const { number } = await about('drop', 'Library')
    const seen = await currentRevision(it.app.db, await edition())
    await edit({ kind: 'subject', text: 'By hand' }, 'Ben')
    const error = await refusal(undoEdit(it.app, id, number, 'mira', { seen }))
    expect(error).toBeInstanceOf(EditionChanged)
    expect(error?.message).toContain('has changed since you looked at it: Ben (')
    expect(await statuses()).toEqual(['applies', 'applies'])
    await undoEdit(it.app, id, number, 'mira', { seen: await currentRevision(it.app.db, await edition()) })
    expect(await statuses()).toEqual(['undone', 'applies'])
  })

  test('that drops a letter leaves it for the next edition; its words are changed on its own page alone', async () => {
    const { it } = await open()
    const typed = { headline: 'On trams', text: 'They are late.', name: 'Ada', place: '', received: '' }
    const letter = await createLetter(it.app, it.digest, typed, 'mira')
    const target = 'id' in letter ? letter.id : ''
    it.clock.advance(day)
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    const place = async () => (await choicesOf(it.app.db, id)).find(({ itemId }) => itemId === target)
    const reworded = editEdition(it.app, id, { kind: 'reword', target, title: 'x' }, 'mira')
    expect((await refusal(reworded))?.message).toBe('“On trams” is a reader’s letter')
    expect((await place())?.position).toBe(1)
    await editEdition(it.app, id, { kind: 'drop', target }, 'mira')
    expect(inWords(await place())).toMatchObject({ position: null, reason: 'dropped by mira' })
  })

  test('is in the simulated edition of its time, and an exclusion in those after it', async () => {
    const { it, about, edit } = await open()
    await about('pin', 'Market')
    await about('exclude', 'Library')
    await edit({ kind: 'subject', text: 'By hand' })
    it.clock.advance(8 * day)
    const { editions } = await simulate(it.app.db, it.digest, 2, it.clock.now())
    const chosen = editions.map(({ choices }) =>
      choices.flatMap((choice) => (choice.position === null ? [] : [itemOf(choice).title])),
    )
    const [first, second] = [chosen.find((titles) => titles.includes('Harbour')), chosen.at(-1)]
    expect([first?.includes('Market'), first?.includes('Library'), second?.includes('Library')]).toEqual([
      true,
      false,
      false,
    ])
    expect(editions.find(({ edits }) => edits.length === 3)?.edits.at(-1)?.data).toEqual({ text: 'By hand' })
  })

  test('that rewords a headline makes no correction of it, until the feed says something else', async () => {
    const { it, id, about, sealed } = await open()
    await about('reword', 'Harbour', { title: 'The harbour is open' })
    await sealed()
    await approve(it.app, id, 'Ada')
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(0)
    const article = (await chosenOf(it.app.db, id)).find(({ title }) => title !== 'Opinion')
    expect(article).toMatchObject({ saidTitle: 'The harbour is open', feedTitle: 'Harbour' })
    const change = (title: string) =>
      it.app.db.updateTable('articles').set({ title }).where('title', '=', 'Harbour').execute()
    await change('Not Harbour')
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(1)
  })
})

async function chosenIn(it: World, id: string, section: string): Promise<string[]> {
  return (await chosenOf(it.app.db, id)).filter((one) => one.section === section).map(({ title }) => title)
}
