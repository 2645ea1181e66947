import { afterEach, describe, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { forgetArticles } from '../../../src/pipeline/forget-articles.ts'
import { addRetractions, endRetractions, retractionMarks } from '../../../src/store/articles/retractions.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { newId } from '../../../src/store/id.ts'
import { toJson } from '../../../src/store/json.ts'
import { feedsWithNewArticles, knowsFeed } from '../../../src/store/ledger/ledger.ts'
import { quarantineArticle } from '../../../src/store/ledger/stories.ts'
import { day } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { makeArticle, publishArticles, sealedEdition } from '../../support/newsroom.ts'
import { newsFeed, openWorld, opinionFeed, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const wanted = 'The one that is wanted'
const other = 'The one that nothing needs'

async function idOf(it: World, title: string): Promise<string> {
  const { db } = it.app
  return (await db.selectFrom('articles').select('id').where('title', '=', title).executeTakeFirstOrThrow()).id
}

async function setLedger(it: World, title: string, values: Record<string, string | null>): Promise<void> {
  const id = await idOf(it, title)
  await it.app.db.updateTable('ledger').set(values).where('articleId', '=', id).execute()
}

async function titles(it: World): Promise<string[]> {
  return (await it.app.db.selectFrom('articles').select('title').orderBy('id').execute()).map(({ title }) => title)
}

const never = { restoredAt: null, restoredBy: null }

/** What an article is needed for; each begins with both articles as backlog. */
const needs: [string, (it: World) => Promise<unknown>][] = [
  ['is pending', (it) => setLedger(it, wanted, { backlogAt: null })],
  [
    'waits for an editor',
    async (it) => {
      await setLedger(it, wanted, { backlogAt: null })
      const articleId = await idOf(it, wanted)
      await quarantineArticle(it.app.db, 'weekly', {
        articleId,
        sameAs: null,
        reason: { code: 'known-articles', count: 9 },
        now: it.clock.now(),
      })
    },
  ],
  [
    'was chosen for an edition that was sealed',
    async (it) => {
      await setLedger(it, wanted, { backlogAt: null })
      expect((await sealedEdition(it)).chosen).toEqual([wanted])
    },
  ],
  [
    'was chosen once, whatever its ledger says',
    async (it) => {
      await setLedger(it, wanted, { backlogAt: null })
      await sealedEdition(it)
      await it.app.db.updateTable('editions').set({ status: 'sent' }).execute()
      await setLedger(it, wanted, { editionId: null, backlogAt: it.clock.now() })
    },
  ],
  [
    'was passed over by an edition that is not decided yet',
    async (it) => {
      const digest = { ...it.digest, thin: { ...it.digest.thin, minimum: 0 } }
      const made = await compose(it.app, digest, it.clock.now())
      const choice = { editionId: made?.id ?? '', articleId: await idOf(it, wanted), section: 'latest', position: null }
      await it.app.db
        .insertInto('choices')
        .values({ ...choice, reason: toJson<Reason>({ code: 'no-section' }), ...unsaid })
        .execute()
    },
  ],
  [
    'was pulled, and restored',
    async (it) => {
      const [, address = ''] = await retractionMarks(it.app.db, [await idOf(it, wanted)])
      await addRetractions(
        it.app.db,
        [address],
        { url: '', title: '', who: 'Ada', reason: 'wrong', ...never },
        it.clock.now(),
      )
      await endRetractions(it.app.db, [address], 'Ada', it.clock.now())
    },
  ],
  [
    'was corrected',
    async (it) => {
      const made = await compose(it.app, { ...it.digest, thin: { ...it.digest.thin, minimum: 0 } }, it.clock.now())
      await it.app.db.updateTable('editions').set({ status: 'cancelled' }).execute()
      await it.app.db
        .insertInto('corrections')
        .values({
          ...correction,
          editionId: made?.id ?? '',
          articleId: await idOf(it, wanted),
          proposedAt: it.clock.now(),
        })
        .execute()
    },
  ],
  [
    'was the first copy of a story that an article which stays tells too',
    async (it) => {
      await publishArticles(it, opinionFeed, [makeArticle('A copy')])
      await addArticlesToLedger(it.app, it.digest)
      await setLedger(it, 'A copy', { sameAs: await idOf(it, wanted) })
      expect((await sealedEdition(it)).chosen).toEqual(['A copy'])
    },
  ],
  [
    'is what an editor said that an article which stays is unlike',
    async (it) => {
      await publishArticles(it, opinionFeed, [makeArticle('A copy')])
      await addArticlesToLedger(it.app, it.digest)
      await setLedger(it, 'A copy', { unlike: await idOf(it, wanted) })
    },
  ],
  [
    'keeps a pending article of its feed from telling its story again',
    async (it) => {
      await publishArticles(it, opinionFeed, [makeArticle('The first copy')])
      await publishArticles(it, newsFeed, [makeArticle('A copy')])
      await addArticlesToLedger(it.app, it.digest)
      const sameAs = await idOf(it, 'The first copy')
      await setLedger(it, 'A copy', { sameAs })
      await setLedger(it, wanted, { sameAs })
    },
  ],
  [
    'is the last by which a digest knows that it has met the feed',
    async (it) => {
      await it.app.db
        .insertInto('digests')
        .values({ name: 'other', firstSeenAt: it.clock.now(), decidedUntil: it.clock.now() })
        .execute()
      const row = await it.app.db
        .selectFrom('ledger')
        .selectAll()
        .where('articleId', '=', await idOf(it, wanted))
        .executeTakeFirstOrThrow()
      await it.app.db
        .insertInto('ledger')
        .values({ ...row, digest: 'other' })
        .execute()
    },
  ],
]

const unsaid = {
  lastAt: null,
  saidTitle: null,
  saidUrl: null,
  saidNote: null,
  pageTitle: null,
  pageNote: null,
} as const
const correction = {
  id: newId('2026-11-27T07:00:00.000Z'),
  digest: 'weekly',
  kind: 'headline',
  class: 'correction',
  source: 'feed',
  changeKey: 'x',
  found: 'x',
  evidence: toJson<Reason>({ code: 'page-note' }),
  status: 'dismissed',
} as const

onBothEngines('articles that are old', (freshUrl) => {
  /** Two articles that are backlog, of which the feed shows neither any more. */
  async function world(): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishArticles(it, newsFeed, [makeArticle('First sight')])
    await addArticlesToLedger(it.app, it.digest)
    await sealedEdition(it)
    it.clock.advance(day)
    await publishArticles(it, newsFeed, [makeArticle(wanted), makeArticle(other)])
    await addArticlesToLedger(it.app, it.digest)
    for (const title of [wanted, other]) await setLedger(it, title, { backlogAt: it.clock.now() })
    it.clock.advance(day)
    return it
  }

  async function longAfter(it: World): Promise<string[]> {
    it.clock.advance(day)
    await publishArticles(it, newsFeed, [makeArticle('Of the day after')])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(500 * day)
    await publishArticles(it, newsFeed, [makeArticle('Of today')])
    await addArticlesToLedger(it.app, it.digest)
    await forgetArticles(it.app)
    await forgetArticles(it.app) // the next night
    return await titles(it)
  }

  test('and that nothing needs are deleted with all their rows, and no digest takes the feed for new', async () => {
    const it = await world()
    const id = await idOf(it, other)
    await publishArticles(it, newsFeed, [
      makeArticle(other, { identity: makeArticle(other).identity, url: 'https://magazine.example/moved' }),
    ])
    expect(await longAfter(it)).toEqual(['First sight', 'Of the day after', 'Of today'])
    for (const table of ['ledger', 'choices', 'earlierAddresses'] as const)
      expect(await it.app.db.selectFrom(table).select('articleId').where('articleId', '=', id).execute()).toEqual([])
    expect(await feedsWithNewArticles(it.app.db, 'weekly', [newsFeed])).toEqual([])
  })

  describe('stay when one', () => {
    test.each(needs)('%s', async (_, prepare) => {
      const it = await world()
      await prepare(it)
      const left = await longAfter(it)
      expect(left).toContain(wanted)
      expect(left).not.toContain(other)
    })
  })

  test('stay while their feed shows them, whatever the years, and for the days of the rule after that', async () => {
    const it = await world()
    it.clock.advance(900 * day)
    await forgetArticles(it.app)
    expect(await titles(it)).toEqual(['First sight', wanted, other])
    await publishArticles(it, newsFeed, [makeArticle(wanted)])
    it.clock.advance(399 * day)
    await publishArticles(it, newsFeed, [makeArticle('Of today')])
    await addArticlesToLedger(it.app, it.digest)
    await forgetArticles(it.app)
    expect(await titles(it)).toEqual(['First sight', wanted, 'Of today'])
    it.clock.advance(2 * day)
    await forgetArticles(it.app)
    expect(await titles(it)).toEqual(['First sight', 'Of today'])
  })

  test('leave the digests that had met the feed as they were', async () => {
    const it = await world()
    await needs.at(-1)?.[1](it)
    await longAfter(it)
    const feed = await it.app.db.selectFrom('feeds').select('id').where('url', '=', newsFeed).executeTakeFirstOrThrow()
    expect(await knowsFeed(it.app.db, 'other', feed.id)).toBe(true)
  })

  test('are forgotten in short transactions: whatever ends the work between two, the next time goes on', async () => {
    const it = await world()
    const many = Array.from({ length: 250 }, (_, number) => makeArticle(`Number ${number}`))
    await publishArticles(it, newsFeed, many)
    await addArticlesToLedger(it.app, it.digest)
    await it.app.db.updateTable('ledger').set({ backlogAt: it.clock.now(), quarantinedAt: null }).execute()
    it.clock.advance(day)
    await publishArticles(it, newsFeed, [makeArticle('Of the day after')])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(500 * day)
    const end = new AbortController()
    const clock = { ...it.clock, wait: async () => end.abort() }
    expect(await forgetArticles({ ...it.app, clock }, end.signal)).toBe(100 - 1) // the first sight is in an edition
    expect(await feedsWithNewArticles(it.app.db, 'weekly', [newsFeed])).toEqual([])
    expect(await titles(it)).toHaveLength(254 - 99)
    expect(await forgetArticles(it.app)).toBe(253 - 1 - 99)
    expect(await titles(it)).toEqual(['First sight', 'Of the day after'])
  })
})
