import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { explain } from '../../../src/editions/explain.ts'
import { ignoreFeed, releaseFeed } from '../../../src/editions/stories/flood-decision.ts'
import { watchedFeeds } from '../../../src/feeds/health.ts'
import { addFeedNotices } from '../../../src/pipeline/notices/feed-trouble.ts'
import { feedByUrl } from '../../../src/store/feeds/feeds.ts'
import { lastRejections } from '../../../src/store/feeds/rejections.ts'
import { mailsOfKind } from '../../../src/store/outbox/outbox.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { redirect } from '../../support/feeds.ts'
import { feedHistory } from '../../support/history.ts'
import { type Channel, type Item, openWeeks, type Weeks, weekFeed } from '../../support/weeks.ts'

let weeks: Weeks
afterEach(() => weeks.close())

const items = (names: string[], site: string): Item[] =>
  names.map((name, index) => ({
    title: `${name} and everything that followed from it`,
    link: `${site}${name.toLowerCase().replaceAll(' ', '-')}`,
    guid: `${site}?p=${name.length}${index}`,
    date: `2026-11-2${index}`,
  }))
const quay = 'https://quay.example/'
const reels = 'https://reels.example/'
const names = ['Ferry', 'Harbour wall', 'Night bus', 'Pool']
const ours = items(names, quay)
const later = items(['Library', 'Market', 'Tram'], quay).map((one, index) => ({
  ...one,
  date: `2026-12-0${index + 1}`,
}))
const theirs = items(['Bonus', 'Free spins', 'Jackpot', 'Roulette', 'Blackjack'], reels)
const reelsChannel = { title: 'Lucky Reels', site: reels }

onBothEngines('a feed', (freshUrl) => {
  async function ofQuay() {
    weeks = await openWeeks(await freshUrl())
    weeks.show(weekFeed(ours))
    expect((await weeks.edition()).chosen).toHaveLength(4)
    weeks.advance(7)
  }
  const feed = async () => feedByUrl(weeks.it.app.db, weeks.url)
  const state = async () => (await watchedFeeds(weeks.it.app, [weeks.url]))[0]?.health.state
  const titles = (of: Item[]) => of.map(({ title }) => title).sort()
  const happened = async () => (await feedHistory(weeks.it.app.db)).map(({ what }) => what)

  test('that another publisher has is quarantined until an editor decides, with one notice', async () => {
    await ofQuay()
    weeks.show(weekFeed([...later.slice(0, 1), ...ours]))
    await weeks.fetch()
    weeks.advance(1)
    weeks.show(weekFeed(theirs, reelsChannel))
    const { chosen, reasons } = await weeks.edition()
    expect(chosen).toEqual([])
    expect(reasons[theirs[0]?.title ?? '']).toBe(
      'it waits for an editor: the feed seems to have another publisher now: “Lucky Reels” https://reels.example/',
    )
    expect(reasons[later[0]?.title ?? '']).toMatch(/^its feed waits for an editor: /)
    expect(await state()).toBe('waits')
    expect(await feed()).toMatchObject({ title: 'The Quay', siteUrl: quay })
    for (let round = 0; round < 3; round++) {
      weeks.advance(1)
      await weeks.fetch()
      await addFeedNotices(weeks.it.app)
    }
    expect(await mailsOfKind(weeks.it.app.db, 'feed-trouble')).toHaveLength(1)
    expect(await happened()).toEqual([
      'Has another title, site and articles than before: “Lucky Reels” https://reels.example/',
    ])
  })

  test('is accepted with its new publisher, whose articles then go out like any other', async () => {
    await ofQuay()
    weeks.show(weekFeed(theirs.slice(0, 3), reelsChannel))
    await weeks.edition()
    expect(await releaseFeed(weeks.it.app, weeks.url, 'mira')).toBe(3)
    weeks.show(weekFeed(theirs, reelsChannel))
    weeks.advance(7)
    expect((await weeks.edition()).chosen).toEqual(titles(theirs))
    expect(await feed()).toMatchObject({ title: 'Lucky Reels', siteUrl: reels, newPublisherAt: null })
    expect(await state()).toBe('ok')
  })

  test('that is not ours stays ignored, also what it lists later, until its publisher is back or an editor accepts it', async () => {
    await ofQuay()
    weeks.show(weekFeed(theirs.slice(0, 3), reelsChannel))
    await weeks.edition()
    expect(await ignoreFeed(weeks.it.app, weeks.url, 'mira')).toBe(3)
    weeks.advance(7)
    weeks.show(weekFeed(theirs, reelsChannel))
    expect((await weeks.edition()).chosen).toEqual([])
    expect(await state()).toBe('refused')
    const rejected = await lastRejections(weeks.it.app.db, 10)
    expect(rejected.map(({ reason }) => describeReason(reason))).toContain(
      'an editor said that the feed has another publisher',
    )
    await expect(ignoreFeed(weeks.it.app, weeks.url, 'omar')).rejects.toThrow('wait for an editor')
    weeks.advance(7)
    weeks.show(weekFeed([...later, ...ours]))
    expect((await weeks.edition()).chosen).toEqual(titles(later))
    expect(await state()).toBe('ok')
    weeks.advance(7)
    weeks.show(weekFeed(theirs, reelsChannel))
    expect((await weeks.edition()).chosen).toEqual([])
    expect(await state()).toBe('waits')
    await ignoreFeed(weeks.it.app, weeks.url, 'mira')
    await releaseFeed(weeks.it.app, weeks.url, 'omar')
    weeks.advance(7)
    const newest = items(['Poker'], reels)
    weeks.show(weekFeed([...newest, ...theirs], reelsChannel))
    expect((await weeks.edition()).chosen).toEqual(titles(newest))
  })

  test('that its publisher has again before anyone decided goes on, and the articles of the other are backlog', async () => {
    await ofQuay()
    weeks.show(weekFeed(theirs, reelsChannel))
    await weeks.edition()
    weeks.show(weekFeed([...later, ...ours]))
    weeks.advance(1)
    expect((await weeks.edition()).chosen).toEqual(titles(later))
    const [answer] = await explain(weeks.it.app.db, weeks.it.app.digests, theirs[0]?.title ?? '')
    expect(answer?.answer).toMatch(/^in none: backlog/)
    expect(await happened()).toContain('Is “The Quay” again, with articles that we know')
  })

  test('that moves permanently to another publisher is not fetched there, unless an editor accepts it', async () => {
    await ofQuay()
    weeks.show(redirect(301, `${weeks.host.url}/reels.xml`))
    weeks.host.answer('/reels.xml', weekFeed(theirs, reelsChannel))
    expect((await weeks.edition()).chosen).toEqual([])
    expect(await feed()).toMatchObject({ address: null })
    await ignoreFeed(weeks.it.app, weeks.url, 'mira')
    expect(await feed()).toMatchObject({ address: null })
    expect((await happened()).join()).toContain('leads to another publisher: we fetch it at')
    await releaseFeed(weeks.it.app, weeks.url, 'mira')
    expect(await feed()).toMatchObject({ address: `${weeks.host.url}/reels.xml` })
  })

  test('that a digest reads for the first time while it waits prints what its publisher had listed', async () => {
    weeks = await openWeeks(await freshUrl())
    weeks.show(weekFeed(ours))
    await weeks.fetch()
    weeks.advance(1)
    weeks.show(weekFeed(theirs, reelsChannel))
    await weeks.fetch()
    expect((await weeks.edition()).chosen).toEqual([])
    expect(await ignoreFeed(weeks.it.app, weeks.url, 'mira')).toBe(5)
    weeks.advance(1)
    expect((await weeks.edition()).chosen).toEqual(titles(ours))
  })

  const moved = items(['Library', 'Market', 'Tram'], 'https://quay-news.example/')
  test.each<[string, Item[], Channel]>([
    ['has another title alone', later, { title: 'Quay and Shore' }],
    [
      'moves hosts with its articles',
      items([...names, 'Library'], 'https://shore.example/').map((one, index) => ({ ...one, guid: `tag:${index}` })),
      { title: 'Shore', site: 'https://shore.example/' },
    ],
    [
      'keeps its guids alone',
      [...items(['Other'], reels), { title: 'New words', link: `${reels}x`, guid: ours[0]?.guid ?? '' }],
      reelsChannel,
    ],
    ['lists other articles under its title', theirs, { site: reels }],
    ['names another site and links to its own', later, { title: 'Quay Group', site: 'https://group.example/' }],
    [
      'links to a subdomain',
      items(['Library'], 'https://news.quay.example/'),
      { title: 'Quay News', site: 'https://news.quay.example/' },
    ],
    ['is empty', [], reelsChannel],
  ])('that %s is no other', async (_, shown, channel) => {
    await ofQuay()
    weeks.show(weekFeed(shown, channel))
    await weeks.edition()
    expect(await feed()).toMatchObject({ newPublisherAt: null })
  })

  test('of links to other sites is no other when all of them are new', async () => {
    weeks = await openWeeks(await freshUrl())
    weeks.show(weekFeed(theirs, { title: 'Links of the day', site: 'https://links.example/' }))
    for (const [shown, title] of [
      [moved, 'Links of the day'],
      [later, 'Links of the night'],
    ] as const) {
      await weeks.edition()
      weeks.advance(1)
      weeks.show(weekFeed(shown, { title, site: 'https://links.example/' }))
    }
    await weeks.edition()
    expect(await feed()).toMatchObject({ newPublisherAt: null })
  })
})
