import { afterEach, expect, test } from 'vitest'
import type { Digest } from '../../../src/editions/digest.ts'
import { explain } from '../../../src/editions/explain.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { isCertainDuplicate } from '../../../src/editions/stories/flood.ts'
import { ignoreFeed, releaseFeed } from '../../../src/editions/stories/flood-decision.ts'
import { quarantinedFeeds } from '../../../src/store/ledger/stories.ts'
import { day } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeArticle, publishArticles, sealedEdition } from '../../support/newsroom.ts'
import { openWorld, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const one = 'https://one.example/feed'
const two = 'https://two.example/feed'
const final = (given = {}) =>
  makeArticle('The long story of the final of Northwold', { url: 'https://x.example/final', ...given })
const finalToo = (given = {}) => makeArticle('Final', { url: 'https://x.example/final?utm_source=two', ...given })
const tale = (number: number) =>
  makeArticle(`The long tale number ${number} of what came about`, { url: `https://x.example/${number}` })

test('one title at one address is beyond doubt one article, but not at the front page, where everything is', () => {
  const at = (canonical: string) => ({ canonical, title: 'The bridge opens again after a year' })
  expect(isCertainDuplicate(at('https://x.example/bridge'), at('https://x.example/bridge'))).toBe(true)
  expect(isCertainDuplicate(at('https://x.example/'), at('https://x.example/'))).toBe(false)
})

onBothEngines('a story with several copies', (freshUrl) => {
  /** Section one lists feed one, section two feed two; both feeds are known since a week. `rules` are those of section one. */
  async function world(rules = ''): Promise<World> {
    const it = await openWorld({
      storeUrl: await freshUrl(),
      job: {
        thin: '{ minimum: 0, rule: skip }',
        sections: `
  - { name: one, title: One, layout: latest, feeds: ["${one}"], maximum: 50${rules} }
  - { name: two, title: Two, layout: latest, feeds: ["${two}"], maximum: 50 }`,
      },
    })
    closing.push(it.close)
    for (const feed of [one, two]) await publishArticles(it, feed, [makeArticle(`First sight of ${feed}`)])
    await sealedEdition(it)
    it.clock.advance(8 * day)
    return it
  }
  const answersAbout = async (it: World, url: string) =>
    (await explain(it.app.db, it.app.digests, url)).map(({ answer }) => answer)

  test.each([
    [', exclude: { categories: [Sport] }', 'the section one leaves out the category “Sport”'],
    [', include: { categories: [Opinion] }', 'the section one takes in only categories Opinion'],
    [', perAuthor: 1', 'the section one holds at most 1 by Ann'],
  ])(
    'is told by the next copy where the first is not taken in (%s), and not again a week later',
    async (rules, why) => {
      const it = await world(rules)
      const newer = makeArticle('Newer by the same author', { author: 'Ann', categories: ['Opinion'] })
      await publishArticles(it, one, [
        newer,
        final({ author: 'Ann', categories: ['Sport', ...(rules.includes('perAuthor') ? ['Opinion'] : [])] }),
      ])
      await publishArticles(it, two, [finalToo()])
      const told = await sealedEdition(it)
      expect(told.placed).toContain('two: Final')
      expect(told.reasons['The long story of the final of Northwold']).toBe(
        `${why}; the same story as “Final”, from ${two}`,
      )
      it.clock.advance(7 * day)
      expect((await sealedEdition(it)).chosen).toEqual([])
      expect(await answersAbout(it, 'https://x.example/final')).toContain(
        `in none: the same story as “Final” (https://x.example/final?utm_source=two), from ${two}, which is in edition ${told.number}`,
      )
    },
  )

  test('is told by the next copy where the first is stale', async () => {
    const it = await world(', freshness: 3d')
    await publishArticles(it, one, [final()])
    it.clock.advance(4 * day)
    await publishArticles(it, two, [finalToo()])
    expect((await sealedEdition(it)).placed).toEqual(['two: Final'])
  })

  test('is told once, by the feed listed first, where both sections would', async () => {
    const it = await world()
    await publishArticles(it, two, [finalToo()])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(day)
    await publishArticles(it, one, [final()])
    const told = await sealedEdition(it)
    expect(told.placed).toEqual(['one: The long story of the final of Northwold'])
    expect(told.reasons.Final).toBe(`the same story as “The long story of the final of Northwold”, from ${one}`)
  })

  test('in one feed under two guids is told in the words of the newer', async () => {
    const it = await world()
    await publishArticles(it, one, [final({ identity: 'g1' })])
    it.clock.advance(day)
    await publishArticles(it, one, [finalToo({ identity: 'g2' })])
    expect((await sealedEdition(it)).placed).toEqual(['one: Final'])
  })

  test('that a new feed had as backlog is pending still where another feed has it', async () => {
    const it = await world()
    const section = it.digest.sections[0] as Digest['sections'][number]
    const before: Digest = { ...it.digest, sections: it.digest.sections.slice(1) }
    await publishArticles(it, two, [1, 2, 3].map(tale))
    await addArticlesToLedger(it.app, before)
    it.clock.advance(day)
    const all = 'https://all.example/feed'
    await publishArticles(it, all, [
      ...Array.from({ length: 5 }, (_, n) => makeArticle(`Fresh piece ${n}`)),
      ...[1, 2, 3].map(tale),
    ])
    const after: Digest = {
      ...before,
      sections: [...before.sections, { ...section, name: 'all', feeds: [all], maximum: 5 }],
    }
    const told = await sealedEdition(it, after)
    expect(told.placed.filter((title) => title.includes('long tale'))).toHaveLength(3)
    expect(told.placed.filter((title) => title.startsWith('all: Fresh'))).toHaveLength(5)
    expect(await answersAbout(it, 'https://x.example/1')).toContainEqual(
      expect.stringMatching(/^in none: backlog, older than the newest .*; it is the same story as .* edition \d+$/),
    )
  })

  test('of its own feed that is backlog is not told by another guid of that feed', async () => {
    const it = await world()
    const late = 'https://late.example/feed'
    const section = it.digest.sections[0] as Digest['sections'][number]
    const digest: Digest = { ...it.digest, sections: [{ ...section, feeds: [late], maximum: 1 }] }
    await publishArticles(it, late, [
      makeArticle('Newest of the late feed', { publishedAt: it.clock.now() }),
      final({ identity: 'g1' }),
    ])
    await addArticlesToLedger(it.app, digest)
    it.clock.advance(day)
    await publishArticles(it, late, [finalToo({ identity: 'g2' })])
    const told = await sealedEdition(it, digest)
    expect(told.chosen).toEqual(['Newest of the late feed'])
    expect(told.reasons.Final).toMatch(/^the same story as .*, which is backlog$/)
  })

  test.each([
    ['new', releaseFeed],
    ['old', ignoreFeed],
  ] as const)('is mailed once when an editor says of a feed that shows too much that it is %s', async (_, decide) => {
    const it = await world()
    await publishArticles(it, two, [1, 2, 3].map(tale))
    expect((await sealedEdition(it)).chosen).toHaveLength(3)
    it.clock.advance(3 * day)
    await publishArticles(
      it,
      one,
      Array.from({ length: 40 }, (_, index) => tale(index + 1)),
    )
    await publishArticles(it, two, [4, 5, 6].map(tale))
    await addArticlesToLedger(it.app, it.digest)
    expect(await quarantinedFeeds(it.app.db)).toMatchObject([{ url: one, count: 40 }])
    await decide(it.app, one, 'Ada')
    const told = await sealedEdition(it)
    const numbers = told.chosen.map((title) => Number(/number (\d+)/.exec(title)?.[1])).sort((a, b) => a - b)
    const wanted = decide === ignoreFeed ? [4, 5, 6] : Array.from({ length: 37 }, (_, index) => index + 4)
    expect(numbers).toEqual(wanted)
  })

  test('is two where an editor says so, but not where address and title are the same', async () => {
    const it = await world()
    const seven = [1, 2, 3, 4, 5, 6, 7]
    await publishArticles(
      it,
      one,
      seven.map((number) => ({ ...tale(number), identity: `old ${number}` })),
    )
    expect((await sealedEdition(it)).chosen).toHaveLength(7)
    it.clock.advance(8 * day)
    const moved = (number: number) => ({
      ...tale(number),
      url: `https://new.example/${number}`,
      identity: `new ${number}`,
    })
    await publishArticles(it, one, [...seven.map(moved)])
    await addArticlesToLedger(it.app, it.digest)
    expect(await releaseFeed(it.app, one, 'Ada')).toBe(7)
    expect((await sealedEdition(it)).chosen).toHaveLength(7) // a series that the publisher tells anew
    it.clock.advance(8 * day)
    await publishArticles(
      it,
      one,
      seven.map((number) => ({ ...moved(number), identity: `newer ${number}` })),
    )
    await addArticlesToLedger(it.app, it.digest)
    expect(await quarantinedFeeds(it.app.db)).toEqual([])
    expect((await sealedEdition(it)).chosen).toEqual([])
  })

  test('comes back with its edition when that is cancelled, and one copy of it goes', async () => {
    const it = await world()
    await publishArticles(it, one, [final()])
    await publishArticles(it, two, [finalToo()])
    const first = await sealedEdition(it)
    await cancel(it.app, first.id, 'Ada', 'a mistake')
    it.clock.advance(day)
    expect((await sealedEdition(it)).chosen).toEqual(['The long story of the final of Northwold'])
  })

  test('that another copy told is not chosen for a section that it is pinned to by a rule', async () => {
    const it = await world(', atLeast: [{ count: 1, words: [final], otherwise: send }]')
    await publishArticles(it, two, [finalToo()])
    expect((await sealedEdition(it)).placed).toEqual(['two: Final'])
    it.clock.advance(day)
    await publishArticles(it, one, [final()])
    expect((await sealedEdition(it)).chosen).toEqual([])
  })

  test('goes by its other copy when the page of the first is gone, and takes no number when all are', async () => {
    const it = await world()
    const flood = { known: 99, times: 99 }
    const digest: Digest = { ...it.digest, flood, lateCheck: true, thin: { ...it.digest.thin, minimum: 1 } }
    await publishArticles(it, one, [final({ url: 'https://one.example/gone' })])
    await publishArticles(it, two, [
      finalToo({ url: 'https://two.example/there', title: 'The long story of the final of Northwold' }),
    ])
    const check = async (url: string) =>
      url.endsWith('gone')
        ? { kind: 'gone' as const, reason: 'it answered 404', isLasting: false }
        : { kind: 'unknown' as const, reason: 'it did not answer' }
    const told = await sealedEdition(it, digest, check)
    expect(told.placed).toEqual(['two: The long story of the final of Northwold'])
    it.clock.advance(day)
    await publishArticles(
      it,
      one,
      Array.from({ length: 15 }, (_, n) => makeArticle(`Lost piece ${n}`, { url: `https://one.example/${n}/gone` })),
    )
    const narrow = { ...digest, sections: digest.sections.map((section) => ({ ...section, maximum: 1 })) }
    expect(await sealedEdition(it, narrow, check)).toMatchObject({ status: 'skipped', number: null })
    it.clock.advance(day)
    await publishArticles(it, one, [makeArticle('Not lost')])
    expect((await sealedEdition(it, digest, check)).number).toBe((told.number ?? 0) + 1)
  })
})

onBothEngines('an article that nobody chooses', (freshUrl) => {
  const small = (it: World): Digest => ({
    ...it.digest,
    thin: { ...it.digest.thin, minimum: 0 },
    sections: it.digest.sections.map((one) => ({ ...one, maximum: 1 })),
  })
  async function world(rules = '', pending = ''): Promise<World> {
    const it = await openWorld({
      storeUrl: await freshUrl(),
      job: {
        ...(pending && { pending }),
        sections: `\n  - { name: one, title: One, layout: latest, feeds: ["${one}"], maximum: 5${rules} }`,
      },
    })
    closing.push(it.close)
    await publishArticles(it, one, [makeArticle('First sight'), makeArticle('First sight too')])
    await sealedEdition(it)
    it.clock.advance(8 * day)
    return it
  }
  const pendingCount = async (it: World) => {
    const rows = await it.app.db
      .selectFrom('ledger')
      .selectAll()
      .where('editionId', 'is', null)
      .where('backlogAt', 'is', null)
      .execute()
    return rows.length
  }

  test('is pending for four weeks, then backlog with the reason, and pending again when that edition is cancelled', async () => {
    const it = await world()
    await publishArticles(it, one, [makeArticle('Passed over', { publishedAt: '2020-01-01T00:00:00.000Z' })])
    for (let week = 0; week < 5; week++) {
      await publishArticles(it, one, [makeArticle(`News of week ${week}`)])
      expect((await sealedEdition(it, small(it))).chosen).toEqual([`News of week ${week}`])
      expect(await pendingCount(it)).toBe(1)
      it.clock.advance(7 * day)
    }
    await publishArticles(it, one, [makeArticle('News of the last week')])
    const last = await sealedEdition(it, small(it))
    expect(last.reasons['Passed over']).toMatch(/pending for longer than 28d, so no later edition looks at it$/)
    expect(await pendingCount(it)).toBe(0)
    const url = 'https://magazine.example/passed-over'
    expect((await explain(it.app.db, it.app.digests, url))[0]?.answer).toMatch(
      /^in none: backlog since .*: edition \d+ passed it over for the last time: the section is full/,
    )
    await cancel(it.app, last.id, 'Ada', 'a mistake')
    expect(await pendingCount(it)).toBe(2)
  })

  test('is pending for ever where the rule is off', async () => {
    const it = await world('', '{ for: off }')
    await publishArticles(it, one, [makeArticle('Passed over', { publishedAt: '2020-01-01T00:00:00.000Z' })])
    for (let week = 0; week < 6; week++) {
      await publishArticles(it, one, [makeArticle(`News of week ${week}`)])
      await sealedEdition(it, small(it))
      it.clock.advance(7 * day)
    }
    expect(await pendingCount(it)).toBe(1)
  })

  test('is backlog as soon as it is fresh for no section', async () => {
    const it = await world(', freshness: 3d')
    await publishArticles(it, one, [makeArticle('Too old soon')])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(4 * day)
    await sealedEdition(it)
    expect(await pendingCount(it)).toBe(0)
  })
})
