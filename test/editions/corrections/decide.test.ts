import { afterEach, expect, test } from 'vitest'
import { compose, composeDryRun } from '../../../src/editions/compose/compose.ts'
import { acceptCorrection, dismissCorrection, reopenCorrection } from '../../../src/editions/corrections/decide.ts'
import { detectInFeeds } from '../../../src/editions/corrections/detect.ts'
import { explain } from '../../../src/editions/explain.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { hold } from '../../../src/editions/review/pause.ts'
import { seal } from '../../../src/editions/seal.ts'
import { articlesByUrl, saveArticles } from '../../../src/store/articles/articles.ts'
import { correctionById, latestCorrections, waitingCorrections } from '../../../src/store/corrections/corrections.ts'
import { choicesOf } from '../../../src/store/editions/choices.ts'
import { variantsOf } from '../../../src/store/editions/variants.ts'
import { fromJson } from '../../../src/store/json.ts'
import type { EditionRow } from '../../../src/store/schema.ts'
import { day, hour, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { editionHistory, inWords } from '../../support/history.ts'
import {
  makeDatedArticle,
  newsFeed,
  openWorld,
  plainRender,
  publishTitles,
  type World,
  type WorldOptions,
} from '../../support/world.ts'

let worlds: World[] = []

afterEach(async () => {
  for (const world of worlds) await world.close()
  worlds = []
})

onBothEngines('a correction', (freshUrl) => {
  /** A world whose first edition, with the articles One and Two, is approved. */
  async function open(options: Omit<WorldOptions, 'storeUrl'> = {}): Promise<World & { first: EditionRow }> {
    const it = await openWorld({ storeUrl: await freshUrl(), ...options })
    worlds.push(it)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const first = await sealed(it)
    await approve(it.app, first.id, 'Ada')
    it.clock.advance(hour)
    return { ...it, first }
  }

  test('is proposed once when the feed shows another headline after sending, and says what was sent', async () => {
    const it = await open()
    expect(await rewrite(it, 'One', 'Not One')).toBe(1)
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(0)
    expect(await waiting(it)).toMatchObject([
      { said: 'One', found: 'Not One', status: 'proposed', kind: 'headline', number: 1 },
    ])
    expect((await choicesOf(it.app.db, it.first.id)).map(({ title }) => title)).toEqual(['One', 'Two'])
  })

  test('is not proposed of a headline that only looks different, nor of an edition that is not approved', async () => {
    const it = await open()
    expect(await rewrite(it, 'One', '“ONE” | The Magazine')).toBe(0)
    await hold(it.app, it.first.id, 'Ada', 'wait')
    expect(await rewrite(it, 'One', 'Not One')).toBe(0)
    await approve(it.app, it.first.id, 'Ada')
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(1)
  })

  test('is proposed of a note that the feed shows since, not of one that it showed before', async () => {
    const it = await open()
    expect(await rewrite(it, 'One', 'One', 'Correction: it was two.')).toBe(1)
    expect(await waiting(it)).toMatchObject([{ kind: 'note', found: 'Correction: it was two.', said: 'One' }])
    it.clock.advance(day)
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    await rewrite(it, 'Three', 'Three', 'Correction: known by then.')
    const second = await sealed(it)
    await approve(it.app, second.id, 'Ada')
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(0)
  })

  test('is proposed for as long as the job file says, and not at all when it is off', async () => {
    const it = await open()
    const off = { ...it.digest, corrections: { for: 'off' } }
    const short = { ...it.digest, corrections: { for: '2h' } }
    await retitle(it, 'One', 'Not One')
    expect(await detectInFeeds(it.app, [off])).toBe(0)
    it.clock.advance(2 * hour)
    expect(await detectInFeeds(it.app, [short])).toBe(0)
    it.clock.advance(14 * day - 3 * hour + 1)
    expect(await detectInFeeds(it.app, [it.digest])).toBe(0)
    it.clock.advance(-2)
    expect(await detectInFeeds(it.app, [it.digest])).toBe(1)
  })

  test('is stored with its class and the facts that changed, and only what matters is counted', async () => {
    const it = await open()
    expect(await rewrite(it, 'One', 'One of many things to see')).toBe(0)
    expect(await rewrite(it, 'Two', 'Not Two')).toBe(1)
    const found = await waiting(it)
    expect(found.map((row) => [row.found, row.class]).sort()).toEqual([
      ['Not Two', 'correction'],
      ['One of many things to see', 'development'],
    ])
    const facts = found.map(({ evidence }) => fromJson(evidence).also)
    expect(facts).toContainEqual([{ code: 'changed-fact', fact: 'negation-added', was: '', now: 'Not' }])
  })

  test('goes away by itself when the headline is back before anybody decided, and the record stays', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await rewrite(it, 'One', 'One')
    expect(await waiting(it)).toEqual([])
    for (let flip = 0; flip < 5; flip++) {
      it.clock.advance(20 * minute)
      expect([await rewrite(it, 'One', 'Not One'), await rewrite(it, 'One', 'One')]).toEqual([0, 0])
    }
    expect(await latestCorrections(it.app.db, 'weekly', 10)).toMatchObject([{ status: 'lapsed', found: 'Not One' }])
    it.clock.advance(day)
    expect(await rewrite(it, 'One', 'Not One')).toBe(1) // it stayed after all
    await dismissCorrection(it.app, await only(it), 'Ada')
    await rewrite(it, 'One', 'One')
    it.clock.advance(2 * day)
    expect(await rewrite(it, 'One', 'Not One')).toBe(0)
    expect(await latestCorrections(it.app.db, undefined, 10)).toMatchObject([{ status: 'dismissed' }])
  })

  test('gives way to a newer one before anybody decided, and is doubted when it is undone after that', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Second wording')
    await rewrite(it, 'One', 'Third wording')
    expect((await waiting(it)).map(({ found }) => found)).toEqual(['Third wording'])
    await acceptCorrection(it.app, await only(it), 'Ada')
    await rewrite(it, 'One', 'One')
    expect(await waiting(it)).toMatchObject([{ found: 'Third wording', status: 'doubted' }])
  })

  test('that nobody accepted is never printed; an accepted one is printed once, in the editor’s words', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await rewrite(it, 'Two', 'Not Two')
    const [one] = await waiting(it)
    expect((await composeDryRun(it.app, it.digest)).draft.corrections).toEqual([])
    await acceptCorrection(it.app, one?.id ?? '', 'Ada', ' It is \n two. ')
    expect((await composeDryRun(it.app, it.digest)).draft.corrections).toMatchObject([
      { said: 'One', words: 'It is two.' },
    ])
    const [second, third] = [await next(it), await next(it)]
    expect(await printed(it, second)).toEqual(['One: It is two. (1)'])
    expect(await printed(it, third)).toEqual([])
    expect(await correctionById(it.app.db, one?.id ?? '')).toMatchObject({ decidedBy: 'Ada', printedNumber: 2 })
    const what = (await editionHistory(it.app.db, it.first.id)).at(-1)
    expect(what).toMatchObject({ who: 'Ada', what: 'Correction of “One” accepted: It is two.' })
  })

  test('has suggested words if the editor has no better ones', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await acceptCorrection(it.app, await only(it), 'Ada')
    expect(await waiting(it)).toMatchObject([{ words: 'The headline now reads: “Not One”' }])
  })

  test('accepted after composing goes into the seal, one accepted while it is sealed into the next', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await rewrite(it, 'Two', 'Not Two')
    const [one, two] = await waiting(it)
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    it.clock.advance(day)
    const composed = await compose(it.app, it.digest, it.clock.now())
    await acceptCorrection(it.app, one?.id ?? '', 'Ada', 'It is two.')
    const second = await sealIt(it, composed, async () => {
      await acceptCorrection(it.app, two?.id ?? '', 'Ada', 'It is three.')
    })
    expect(await printed(it, second)).toEqual(['One: It is two. (1)'])
    expect(await printed(it, await next(it))).toEqual(['Two: It is three. (1)'])
  })

  test('taken back, or worded anew, while the edition is rendered is not in it as it was', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    const id = await only(it)
    await acceptCorrection(it.app, id, 'Ada', 'Wrong words.')
    await publishTitles(it, newsFeed, ['Three', 'Four'])
    it.clock.advance(day)
    const composed = await compose(it.app, it.digest, it.clock.now())
    const second = await sealIt(it, composed, async () => {
      await reopenCorrection(it.app, id, 'Ben')
      await acceptCorrection(it.app, id, 'Ben', 'Right words.')
    })
    expect(await printed(it, second)).toEqual(['One: Right words. (1)'])
    it.clock.advance(day)
    await rewrite(it, 'Two', 'Not Two')
    await acceptCorrection(it.app, await only(it), 'Ada')
    await publishTitles(it, newsFeed, ['Five', 'Six'])
    const third = await sealIt(it, await compose(it.app, it.digest, it.clock.now()), async () => {
      await reopenCorrection(it.app, await only(it), 'Ben')
    })
    expect(await printed(it, third)).toEqual([])
    expect(await waiting(it)).toMatchObject([{ status: 'proposed' }])
  })

  test('is printed once when two editions are sealed at the same moment', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await acceptCorrection(it.app, await only(it), 'Ada', 'It is two.')
    const editions: (EditionRow | undefined)[] = []
    for (const titles of [
      ['Three', 'Four', 'Five', 'Six', 'Seven'],
      ['Eight', 'Nine'],
    ]) {
      it.clock.advance(day)
      await publishTitles(it, newsFeed, titles)
      editions.push(await compose(it.app, it.digest, it.clock.now()))
    }
    const both = await Promise.all(editions.map((edition) => sealIt(it, edition)))
    const texts = await Promise.all(both.map((edition) => printed(it, edition)))
    expect(texts.flat()).toEqual(['One: It is two. (1)'])
  })

  test('is given back when the edition that prints it is cancelled, and the next one prints it', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await acceptCorrection(it.app, await only(it), 'Ada', 'It is two.')
    const second = await next(it)
    const id = (await latestCorrections(it.app.db, undefined, 1))[0]?.id ?? ''
    await expect(reopenCorrection(it.app, id, 'Ben')).rejects.toThrow(
      'the correction of “One” is accepted by Ada, printed in edition 2 (sealed): it cannot be taken back',
    )
    await cancel(it.app, second.id, 'Ada', 'wrong picture')
    expect(await waiting(it)).toMatchObject([{ status: 'accepted', printedIn: null }])
    it.clock.advance(day)
    expect(await printed(it, await next(it))).toEqual(['One: It is two. (1)'])
  })

  test('is no longer needed when the edition that said it is cancelled before anybody got it', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await rewrite(it, 'Two', 'Not Two')
    const [one] = await waiting(it)
    await acceptCorrection(it.app, one?.id ?? '', 'Ada')
    await cancel(it.app, it.first.id, 'Ada', 'not today')
    expect(await waiting(it)).toEqual([])
    expect(await detectInFeeds(it.app, it.app.digests)).toBe(0)
    await expect(dismissCorrection(it.app, one?.id ?? '', 'Ben')).rejects.toThrow('is no longer needed, since 2026')
    expect(await printed(it, await next(it))).toEqual([])
  })

  test('is decided once: whoever comes second is told who was first', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    const id = await only(it)
    const racing = await Promise.allSettled([
      acceptCorrection(it.app, id, 'Ada', 'It is two.'),
      acceptCorrection(it.app, id, 'Ben', 'It is three.'),
    ])
    expect(racing.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(acceptCorrection(it.app, id, 'Cy')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        /^the correction of “One” is accepted by (Ada|Ben), for the next edition: it cannot/,
      ),
    })
    await reopenCorrection(it.app, id, 'Ada')
    await dismissCorrection(it.app, id, 'Ada')
    await expect(acceptCorrection(it.app, id, 'Ben')).rejects.toThrow(
      'the correction of “One” is dismissed by Ada: it cannot be accepted',
    )
    await expect(dismissCorrection(it.app, id, 'Ben')).rejects.toThrow('dismissed by Ada')
    await reopenCorrection(it.app, id, 'Ben')
    await expect(reopenCorrection(it.app, id, 'Ben')).rejects.toThrow('waits for an editor: it cannot be taken back')
  })

  test('needs words, not too many, and an id that is one', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    const id = await only(it)
    await expect(acceptCorrection(it.app, id, 'Ada', ' \n')).rejects.toMatchObject({ code: 'invalid' })
    await expect(acceptCorrection(it.app, id, 'Ada', 'x'.repeat(1001))).rejects.toThrow('1001 characters are too many')
    await expect(dismissCorrection(it.app, 'no-such-id', 'Ada')).rejects.toMatchObject({ code: 'missing' })
    expect(await waiting(it)).toMatchObject([{ status: 'proposed', words: null }])
  })

  test('does not make a thin edition less thin', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    await acceptCorrection(it.app, await only(it), 'Ada')
    await publishTitles(it, newsFeed, ['Three'])
    it.clock.advance(day)
    expect(inWords(await compose(it.app, it.digest, it.clock.now()))).toMatchObject({
      status: 'skipped',
      reason: '1 new article (this digest needs 2)',
    })
    expect(await waiting(it)).toMatchObject([{ status: 'accepted', printedIn: null }])
  })

  test('is told of by explain, with where it is printed', async () => {
    const it = await open()
    await rewrite(it, 'One', 'Not One')
    const ask = async () => (await explain(it.app.db, it.app.digests, 'https://magazine.example/one'))[0]?.corrections
    const said = 'edition 1 said “One”'
    expect(await ask()).toEqual([`${said}: “Not One” (correction proposed, and waits for an editor)`])
    await acceptCorrection(it.app, await only(it), 'Ada', 'It is two.')
    await next(it)
    expect(await ask()).toEqual([`${said}: “It is two.” (correction accepted by Ada, printed in edition 2 (sealed))`])
  })
})

async function sealed(it: World): Promise<EditionRow> {
  return await sealIt(it, await compose(it.app, it.digest, it.clock.now()))
}

/** Seals, with the given work done while it renders, the first time. */
async function sealIt(
  it: World,
  edition: EditionRow | undefined,
  meanwhile?: () => Promise<void>,
): Promise<EditionRow> {
  let pending = meanwhile
  const render: typeof plainRender = async (draft) => {
    const work = pending
    pending = undefined
    await work?.()
    return plainRender(draft)
  }
  return await seal({ ...it.app, render }, edition?.id ?? 'none', it.digest)
}

let fresh = 0

/** The next edition, sealed, with two new articles. */
async function next(it: World): Promise<EditionRow> {
  it.clock.advance(7 * day)
  await publishTitles(it, newsFeed, [`News ${++fresh}`, `News ${++fresh}`])
  return await sealed(it)
}

async function retitle(it: World, was: string, title: string, note?: string): Promise<void> {
  const url = `https://magazine.example/${was.toLowerCase()}`
  const [known] = await articlesByUrl(it.app.db, url)
  const shown = { ...makeDatedArticle(was, new Date(0)), title, ...(note === undefined ? {} : { note }) }
  await saveArticles(it.app.db, known?.feedId ?? '', [shown], it.clock.now())
}

/** The feed shows another headline, or a note; returns how many corrections are proposed by that. */
async function rewrite(it: World, was: string, title: string, note?: string): Promise<number> {
  await retitle(it, was, title, note)
  return await detectInFeeds(it.app, it.app.digests)
}

function waiting(it: World) {
  return waitingCorrections(it.app.db, 'weekly')
}

async function only(it: World): Promise<string> {
  const [one, ...others] = (await waiting(it)).filter(({ printedIn }) => printedIn === null)
  expect(others).toEqual([])
  return one?.id ?? ''
}

/** The corrections in the sealed bytes. */
async function printed(it: World, edition: EditionRow | undefined): Promise<string[]> {
  const [variant] = await variantsOf(it.app.db, edition?.id ?? '')
  return [...(variant?.text ?? '').matchAll(/^Correction of (.*)$/gm)].map(([, line]) => line ?? '')
}
