import { afterEach, describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { itemOf } from '../../../src/editions/choice/choice.ts'
import { compose, composeDryRun } from '../../../src/editions/compose/compose.ts'
import { explain } from '../../../src/editions/explain.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import {
  createLetter,
  editLetter,
  LetterChanged,
  withdrawPendingLetter,
} from '../../../src/editions/letters/letters.ts'
import { maxLengths, readLetter, type TypedLetter } from '../../../src/editions/letters/read-letter.ts'
import { restoreArticle, retractArticle } from '../../../src/editions/retract.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { seal } from '../../../src/editions/seal.ts'
import { simulate } from '../../../src/editions/simulation/simulate.ts'
import { refreshAndEnrich } from '../../../src/pipeline/refresh-and-enrich.ts'
import { addRetractions, endRetractions, retractedIn } from '../../../src/store/articles/retractions.ts'
import { choicesOf, countChosen } from '../../../src/store/editions/choices.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { variantsOf } from '../../../src/store/editions/variants.ts'
import { allFeeds } from '../../../src/store/feeds/feeds.ts'
import { quarantinedFeeds } from '../../../src/store/ledger/stories.ts'
import { countWaitingLetters, letterById, lettersOf } from '../../../src/store/letters/letters.ts'
import { openStore } from '../../../src/store/open.ts'
import type { EditionRow } from '../../../src/store/schema.ts'
import { day } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openTransaction, waitUntilDoneOrLocked } from '../../support/databases/locks.ts'
import { editionHistory, inWords } from '../../support/history.ts'
import {
  newsFeed,
  openWorld,
  opinionFeed,
  plainRender,
  publishTitles,
  type World,
  type WorldOptions,
} from '../../support/world.ts'

const typed = (headline: string, given: Partial<TypedLetter> = {}): TypedLetter => ({
  headline,
  text: `First of ${headline}.\n\nSecond.`, // the same text again would be the same letter
  name: 'Ada Byron',
  place: 'Leeds',
  received: '',
  ...given,
})

const retraction = { url: '', title: 'Trams', who: 'mira', reason: 'not Ada' }

let worlds: World[] = []

afterEach(async () => {
  for (const world of worlds) await world.close()
  worlds = []
})

onBothEngines('a letter', (freshUrl) => {
  async function world(options: Omit<WorldOptions, 'storeUrl'> = {}): Promise<World> {
    const made = await openWorld({ storeUrl: await freshUrl(), ...options })
    worlds.push(made)
    return made
  }

  test('is pending until an edition is sealed, stands in it once, and comes back when that one is cancelled', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four'])
    const id = await print(it, 'Trams')
    const first = await makeSealed(it)
    expect(await titles(it, first)).toContain('Trams')
    expect((await editionHistory(it.app.db, first.id))[0]?.what).toBe('4 articles and 1 letter chosen')
    expect((await countChosen(it.app.db, [first.id])).get(first.id)).toEqual({ article: 4, letter: 1 })
    expect(await countWaitingLetters(it.app.db)).toBe(0)
    await cancel(it.app, first.id, 'Ada', 'wrong picture')
    expect(await countWaitingLetters(it.app.db)).toBe(1)
    it.clock.advance(day)
    const second = await makeSealed(it)
    expect(await titles(it, second)).toContain('Trams')
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['Five', 'Six'])
    expect(await titles(it, await makeSealed(it))).toEqual(['Five', 'Six'])
    expect(await answer(it, id)).toEqual(['in edition 2 (sealed), section have-your-say'])
  })

  test('keeps its words as they were given, with its name, its place and the day it came', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trams', { text: ' One\r\nline.\r\n\r\n \r\nTwo. ', received: '2026-11-20' })
    expect(await letterById(it.app.db, id)).toMatchObject({
      headline: 'Trams',
      text: 'One line.\n\nTwo.',
      name: 'Ada Byron',
      place: 'Leeds',
      receivedAt: '2026-11-20T12:00:00.000Z',
      enteredBy: 'mira',
      digest: 'weekly',
    })
    const [choice] = (await choicesOf(it.app.db, (await makeSealed(it)).id)).filter(({ kind }) => kind === 'letter')
    expect(choice).toMatchObject({ title: 'Trams', author: 'Ada Byron', place: 'Leeds', url: '', source: '' })
  })

  test('waits for its turn: the one that came first is printed first, as many as the section holds', async () => {
    const it = await world({ job: { sections: sayOnly('maximum: 2') } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await print(it, 'Third', { received: '2026-11-22' })
    const second = await print(it, 'Second', { received: '2026-11-21' })
    const first = await print(it, 'First', { received: '2026-11-20' })
    const sealed = await makeSealed(it)
    const choices = (await choicesOf(it.app.db, sealed.id)).filter(({ kind }) => kind === 'letter')
    expect(choices.map(({ title, position, reason }) => [title, position, describeReason(reason)])).toEqual([
      ['First', 1, 'number 1 of 3 letters, in the order they came'],
      ['Second', 2, 'number 2 of 3 letters, in the order they came'],
      ['Third', null, 'the section is full: 2 letters come before it'],
    ])
    expect(await withdrawn(it, second)).toMatch(/stands in weekly 1, which is sealed/)
    expect(await withdrawn(it, first)).toMatch(/“First” stands in/)
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    expect(await titles(it, await makeSealed(it))).toContain('Third')
  })

  test('obeys no rule for articles but the maximum: an editor chose it', async () => {
    const rules =
      'freshness: 1h, perAuthor: 1, perFeed: 1, exclude: { words: [letter], authors: [Ada Byron] }, atMost: [{ count: 1, authors: [Ada Byron] }]'
    const it = await world({
      job: {
        sections: sayOnly(rules),
        atMost: '{ author: 1, matching: [{ count: 1, words: [letter] }] }',
        thin: '{ minimum: 1 }',
      },
    })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await print(it, 'A letter')
    await print(it, 'Another letter')
    it.clock.advance(3 * day)
    expect(await titles(it, await makeSealed(it))).toEqual(expect.arrayContaining(['A letter', 'Another letter']))
  })

  test('does not make an edition of itself, nor its subject', async () => {
    const it = await world({ job: { thin: '{ minimum: 1, rule: skip, longestSilence: 7d }' } })
    await print(it, 'Alone')
    const skipped = await compose(it.app, it.digest, it.clock.now())
    expect(inWords(skipped)).toMatchObject({ status: 'skipped', reason: 'no new articles (this digest needs 1)' })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    it.clock.advance(day)
    const sealed = await seal(it.app, (await compose(it.app, it.digest, it.clock.now()))?.id ?? '', it.digest)
    expect([sealed.subject, sealed.preheader]).toEqual(['One · The Weekly 1', 'Two'])
    it.clock.advance(8 * day)
    await print(it, 'Alone again')
    const held = await compose(it.app, it.digest, it.clock.now())
    expect(inWords(held)?.reason).toMatch(/^no new articles .* the longest silence is 7d$/) // with nothing but a letter, a person decides
  })

  test('waits where its digest prints none, and goes to no other digest', async () => {
    const it = await world()
    const id = await print(it, 'Trams')
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const without = { ...it.digest, sections: it.digest.sections.slice(0, 2) }
    await expect(createLetter(it.app, without, typed('No'), 'mira')).rejects.toThrow('weekly prints no letters')
    const { choices } = await composeDryRun(it.app, without)
    expect(inWords(choices.find((choice) => itemOf(choice).id === id))?.reason).toBe(
      'no section prints letters (layout have-your-say)',
    )
    const sister = { ...it.digest, name: 'sister' }
    expect((await composeDryRun(it.app, sister)).choices.some((choice) => itemOf(choice).id === id)).toBe(false)
  })

  test('is nobody’s feed: it is not asked, listed, counted, compared, nor asked for again before the seal', async () => {
    const it = await world({ job: { lateCheck: 'true' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    for (const text of ['One text.', 'Another.']) await print(it, 'The same headline as before', { text })
    it.clock.advance(30 * day)
    await print(it, 'A headline that comes once more')
    for (let count = 0; count < 30; count++) await print(it, `Storm ${count}`)
    await addArticlesToLedger(it.app, it.digest)
    expect(await quarantinedFeeds(it.app.db)).toEqual([])
    expect((await allFeeds(it.app.db)).map(({ url }) => url)).toEqual([newsFeed])
    const asked: string[] = []
    const check = async (url: string) => {
      asked.push(url)
      return { kind: 'unknown' as const, reason: 'not asked' }
    }
    const composed = await compose(it.app, it.digest, it.clock.now())
    const sealed = await seal({ ...it.app, render: plainRender, check }, composed?.id ?? '', it.digest)
    expect((await titles(it, sealed)).filter((title) => title.startsWith('The same headline'))).toHaveLength(2)
    expect(asked).toHaveLength(2)
    expect(asked.every((url) => url.startsWith('https://'))).toBe(true)
    expect(await explain(it.app.db, it.app.digests, '')).toEqual([])
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['A headline that comes once more', 'Other news'])
    expect(await titles(it, await makeSealed(it))).toEqual(
      expect.arrayContaining(['A headline that comes once more', 'Other news']),
    )
  })

  test('has no page that a section with enrich could ask', async () => {
    const it = await world({ job: { sections: sayOnly('enrich: true') } })
    await print(it, 'Trams')
    await refreshAndEnrich(it.app, { ...it.digest, sections: it.digest.sections.filter(({ name }) => name === 'say') })
    expect(await it.app.db.selectFrom('pages').selectAll().execute()).toEqual([])
  })

  test('can be reworded while it waits, also between the choice and the seal, and the sealed bytes have the last words', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trems')
    const composed = await compose(it.app, it.digest, it.clock.now())
    let rendered = 0
    const render: typeof plainRender = async (draft) => {
      const bytes = await plainRender(draft)
      if (++rendered === 1) await editLetter(it.app, { id, zone: 'UTC' }, typed('Trams'), 'omar') // while the bytes are made
      return bytes
    }
    const sealed = await seal({ ...it.app, render }, composed?.id ?? '', it.digest)
    expect([sealed.status, rendered]).toEqual(['sealed', 2])
    const [variant] = await variantsOf(it.app.db, sealed.id)
    expect(variant?.text).toContain('Trams')
    expect(variant?.text).not.toContain('Trems')
    expect(await letterById(it.app.db, id)).toMatchObject({ editedBy: 'omar', status: 'sealed' })
    await expect(editLetter(it.app, { id, zone: 'UTC' }, typed('Late'), 'omar')).rejects.toThrow('which is sealed')
  })

  test('that is withdrawn is in no edition, not even in one that chose it, and what was written is erased', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trams')
    const composed = await compose(it.app, it.digest, it.clock.now())
    await withdrawPendingLetter(it.app, id, 'mira')
    expect(await withdrawn(it, id)).toMatch(/^“Trams” was withdrawn by mira on 2026/)
    const sealed = await seal({ ...it.app, render: plainRender }, composed?.id ?? '', it.digest)
    expect(await titles(it, sealed)).toEqual(['One', 'Two'])
    expect(await answer(it, id)).toEqual([`in none: mira withdrew the letter on ${it.clock.now()}`])
    const rows = JSON.stringify(await it.app.db.selectFrom('letters').selectAll().execute())
    expect(rows).not.toMatch(/Ada Byron|Leeds|Second/)
    expect(rows).toContain('Trams')
    await expect(editLetter(it.app, { id, zone: 'UTC' }, typed('Again'), 'omar')).rejects.toThrow('was withdrawn')
    await expect(withdrawPendingLetter(it.app, 'nobody', 'mira')).rejects.toThrow('there is no letter nobody')
  })

  test('that is retracted by its id is in no edition until it is restored, and one that held it is chosen again', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trams')
    const sealed = await makeSealed(it)
    const [effect] = await retractArticle(it.app, id, { who: 'mira', reason: 'not Ada' })
    expect(effect?.edition.id).toBe(sealed.id)
    expect(await letterById(it.app.db, id)).toMatchObject({ editionId: null })
    const passed = (await choicesOf(it.app.db, sealed.id)).find(({ itemId }) => itemId === id)
    expect(inWords(passed)).toMatchObject({ position: null, reason: expect.stringMatching(/by mira: not Ada$/) })
    expect(await answer(it, id)).toEqual([expect.stringMatching(/^in none: .* by mira: not Ada/)])
    await seal({ ...it.app, render: plainRender }, sealed.id, it.digest)
    expect(await titles(it, sealed)).toEqual(['One', 'Two'])
    await restoreArticle(it.app, id, 'mira')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    it.clock.advance(day)
    expect(await titles(it, await makeSealed(it))).toContain('Trams')
  })

  test('that is retracted between the choice and the seal is not sealed, and one that is printed shows it', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trams')
    const composed = await compose(it.app, it.digest, it.clock.now())
    let rendered = 0
    const render: typeof plainRender = async (draft) => {
      if (++rendered === 1) await addRetractions(it.app.db, [id], retraction, it.clock.now()) // while the bytes are made
      return await plainRender(draft)
    }
    const sealed = await seal({ ...it.app, render }, composed?.id ?? '', it.digest)
    expect([sealed.status, await titles(it, sealed)]).toEqual(['sealed', ['One', 'Two']])
    await endRetractions(it.app.db, [id], 'mira', it.clock.now())
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    const next = await makeSealed(it)
    await addRetractions(it.app.db, [id], retraction, it.clock.now())
    expect(await retractedIn(it.app.db, next.id)).toMatchObject([{ itemId: id, title: 'Trams', reason: 'not Ada' }])
  })

  test('that is given back and reworded is still called as it was sealed, in the edition that was cancelled', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trems')
    const sealed = await makeSealed(it)
    await cancel(it.app, sealed.id, 'Ada', 'wrong picture')
    await editLetter(it.app, { id, zone: 'UTC' }, typed('Trams'), 'omar')
    expect(await titles(it, sealed)).toContain('Trems')
  })

  test('gives its place to an article that a rule keeps one for, and says so', async () => {
    const section = `
  - { name: latest, title: Latest, layout: latest, feeds: [${opinionFeed}], maximum: 5 }
  - { name: say, title: Have your say, layout: have-your-say, feeds: [${newsFeed}], maximum: 1, atLeast: [{ count: 1, words: [trams] }] }`
    const it = await world({ job: { sections: section, thin: '{ minimum: 1 }' } })
    await publishTitles(it, newsFeed, ['Trams again'])
    const id = await print(it, 'A letter')
    const { choices } = await composeDryRun(it.app, it.digest)
    expect(choices.map((choice) => [itemOf(choice).title, choice.position, describeReason(choice.reason)])).toEqual([
      ['A letter', null, expect.stringMatching(/^“Trams again” has its place: the section say holds at least 1/)],
      ['Trams again', 1, expect.stringContaining('in because the section say holds at least 1')],
    ])
    expect(itemOf(choices[0] as (typeof choices)[number]).id).toBe(id)
  })

  test('is listed while it waits, oldest first, and then as printed', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await print(it, 'Second', { received: '2026-11-21' })
    await print(it, 'First', { received: '2026-11-20' })
    const list = async (state: 'waiting' | 'printed', digest?: string) =>
      (await lettersOf(it.app.db, { state, digest, limit: 9 })).map(({ headline }) => headline)
    expect(await list('waiting')).toEqual(['First', 'Second'])
    expect(await list('waiting', 'sister')).toEqual([])
    await makeSealed(it)
    expect([await list('waiting'), await list('printed', 'weekly')]).toEqual([[], ['Second', 'First']])
  })

  test('stands in what simulate shows, in the week after it came', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['Old one', 'Old two'])
    it.clock.advance(10 * day)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await print(it, 'Trams')
    it.clock.advance(7 * day)
    const { editions } = await simulate(it.app.db, it.digest, 3, it.clock.now())
    const printed = editions.filter(({ choices }) =>
      choices.some(({ kind, position }) => kind === 'letter' && position !== null),
    )
    expect(printed).toHaveLength(1)
    expect(printed[0]?.status).toBe('sent')
  })

  test('is taken once, whatever its case and blanks, while the same text waits or is printed in that digest', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const id = await print(it, 'Trams', { text: 'The trams\n\nare late.' })
    const again = (text: string) => print(it, 'Other words above it', { text }).catch((error: Error) => error.message)
    const waits = 'the same letter is already waiting (“Trams”, entered by mira on 2026-11-27)'
    expect(await again('  the TRAMS are\t late. ')).toBe(waits)
    expect(await again('The trams are late!')).toMatch(/^[0-9a-f-]{36}$/)
    await makeSealed(it)
    expect(await again('The trams are late.')).toBe(
      'the same letter is in weekly 1 already (“Trams”, entered by mira on 2026-11-27)',
    )
    const beside = await createLetter(it.app, it.digest, typed('Trams', { text: 'The trams are late.' }), 'mira', {
      anyway: id,
    })
    expect(beside).toEqual({ id: expect.any(String) })
    await withdrawPendingLetter(it.app, 'id' in beside ? beside.id : '', 'mira')
    await editLetter(
      it.app,
      { id: await print(it, 'New', { text: 'New' }), zone: 'UTC' },
      typed('New', { text: 'Newer' }),
      'Ada',
    )
    expect(await again('newer')).toContain('“New”')
    expect(await again('New')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('that is added twice at one moment is taken once', async () => {
    const it = await world()
    const other = await openStore(it.app.config.store.url, it.clock)
    const add = (db: typeof it.app.db) => createLetter({ ...it.app, db }, it.digest, typed('Trams'), 'mira')
    const first = await openTransaction(it.app.store, add)
    const second = add(other.db).catch((error: Error) => error.message)
    await waitUntilDoneOrLocked(other, second)
    await first.commit()
    expect(await second).toContain('the same letter is already waiting')
    await other.close()
  })

  test('is not reworded or withdrawn by somebody who saw another version of it', async () => {
    const it = await world()
    const id = await print(it, 'Trams')
    const edit = (text: string, version: number, who: string) =>
      editLetter(it.app, { id, zone: 'UTC', version }, typed('Trams', { text }), who)
    await edit('Ben rewrote this', 1, 'Ben')
    await expect(edit('Mira rewrote this', 1, 'Mira')).rejects.toMatchObject({
      message: 'Ben has reworded “Trams” since you looked at it',
      letter: { text: 'Ben rewrote this', version: 2 },
    })
    await expect(withdrawPendingLetter(it.app, id, 'Mira', { version: 1 })).rejects.toBeInstanceOf(LetterChanged)
    expect(await letterById(it.app.db, id)).toMatchObject({ text: 'Ben rewrote this', editedBy: 'Ben' })
    await edit('Mira rewrote this', 2, 'Mira')
    expect(await letterById(it.app.db, id)).toMatchObject({ text: 'Mira rewrote this', version: 3 })
  })

  async function print(it: World, headline: string, given: Partial<TypedLetter> = {}): Promise<string> {
    const printed = await createLetter(it.app, it.digest, typed(headline, given), 'mira')
    if ('problems' in printed) throw new Error(JSON.stringify(printed.problems))
    return printed.id
  }

  async function withdrawn(it: World, id: string): Promise<string> {
    return withdrawPendingLetter(it.app, id, 'mira').then(
      () => 'withdrawn',
      (error: Error) => error.message,
    )
  }

  async function answer(it: World, id: string): Promise<string[]> {
    return (await explain(it.app.db, it.app.digests, id)).map((one) => one.answer)
  }
})

/** A digest with news, and letters by these rules. */
function sayOnly(rules: string): string {
  return `
  - { name: latest, title: Latest, layout: latest, feeds: [${newsFeed}], maximum: 5 }
  - { name: say, title: Have your say, layout: have-your-say, ${rules} }`
}

async function makeSealed(it: World): Promise<EditionRow> {
  const composed = await compose(it.app, it.digest, it.clock.now())
  if (!composed) throw new Error('nothing composed')
  await seal({ ...it.app, render: plainRender }, composed.id, it.digest)
  return (await editionById(it.app.db, composed.id)) as EditionRow
}

async function titles(it: World, edition: EditionRow): Promise<string[]> {
  const choices = await choicesOf(it.app.db, edition.id)
  return choices.filter(({ position }) => position !== null).map(({ title }) => title)
}

describe('what somebody typed', () => {
  const now = '2026-11-27T07:00:00.000Z'
  const read = (given: Partial<TypedLetter>, zone = 'Europe/London') => readLetter(typed('Trams', given), zone, now)
  const problems = (given: Partial<TypedLetter>) => {
    const letter = read(given)
    return 'problems' in letter ? letter.problems.map(({ field, message }) => `${field} ${message}`) : []
  }

  test('is refused with everything that is wrong with it, each beside its field', () => {
    expect(
      problems({
        headline: ' \u0000\u200b ',
        text: '\u202e\n\n',
        name: '',
        place: 'x'.repeat(101),
        received: '2026-02-30',
      }),
    ).toEqual([
      'headline is missing: every letter needs one',
      'text is empty',
      'name is missing: it is printed under the letter',
      'place has 101 characters, and 100 are printed: shorten it by 1',
      'received is not a day that has been: expected one such as 2026-11-20',
    ])
    expect(problems({ text: 'word '.repeat(200_000) })).toEqual([
      'text has 999,999 characters, and 4,000 are printed: shorten it by 995,999',
    ])
    for (const received of ['tomorrow', '2026-11-28', '20/11/2026', '2026-13-01', '-1'])
      expect(problems({ received })).toHaveLength(1)
  })

  test('is taken up to the last character, an emoji counting as one', () => {
    expect(problems({ text: '🎈'.repeat(maxLengths.text), headline: 'x'.repeat(maxLengths.headline) })).toEqual([])
    expect(problems({ text: '🎈'.repeat(maxLengths.text + 1) })).toHaveLength(1)
  })

  test('loses control characters, halves of characters and what turns the reading direction, and nothing else', () => {
    const trick = 'a\u0000b\u0007c\u202ed\u2066e\ud83df 👩🏽‍🚀 <b>{{x}}</b> مرحبا'
    expect(read({ headline: trick, text: trick, name: trick, place: trick })).toMatchObject(
      Object.fromEntries(
        ['headline', 'text', 'name', 'place'].map((field) => [field, 'abcde\ufffdf 👩🏽‍🚀 <b>{{x}}</b> مرحبا']),
      ),
    )
  })

  test('came on a day of the digest’s zone, wherever that is', () => {
    const dayIn = (received: string, zone: string) => {
      const letter = read({ received }, zone)
      if ('problems' in letter) throw new Error(zone)
      return new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date(letter.receivedAt))
    }
    for (const zone of ['Pacific/Kiritimati', 'Pacific/Auckland', 'UTC', 'America/New_York', 'Pacific/Pago_Pago'])
      expect([zone, dayIn('2026-11-20', zone)]).toEqual([zone, '2026-11-20'])
    expect(read({ received: '2026-11-27' })).toMatchObject({ receivedAt: now })
  })
})
