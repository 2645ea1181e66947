import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { maxCategories, maxLength, maxPerEntry } from '../../src/config/field-limits.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { refreshFeeds } from '../../src/feeds/refresh.ts'
import { lastRejections } from '../../src/store/feeds/rejections.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type FeedHost, startFeedHost } from '../support/feeds.ts'
import { openWorld, type World } from '../support/world.ts'

let host: FeedHost
let world: World
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const megabyte = 1024 * 1024
const long = 'Ä word, and '.repeat(megabyte / 12)
const longAddress = `https://magazine.example/${'long/'.repeat(megabyte / 5)}`
/** Half a character without its other half, in JSON. */
const half = '\\ud83d'

/** Each field of an entry at a megabyte, for both formats; what the article beside it has is short. */
const fields = ['guid', 'link', 'title', 'summary', 'author', 'category', 'picture', 'video', 'body', 'note'] as const
type Field = (typeof fields)[number]

const values = (field: Field, index: number) => ({
  guid: field === 'guid' ? `${index} ${long}` : `guid-${index}`,
  link: field === 'link' ? longAddress : `https://magazine.example/${index}`,
  title: field === 'title' ? long : `Title ${index}`,
  summary: field === 'summary' ? long : field === 'note' ? `Correction: ${long}` : 'Short.',
  author: field === 'author' ? long : 'Mira Vance',
  category: field === 'category' ? long : 'Culture',
  picture: field === 'picture' ? `${longAddress}.png` : 'https://magazine.example/a.png',
  video: field === 'video' ? `${longAddress}.mp4` : 'https://magazine.example/a.mp4',
  body:
    field === 'body' ? `<p>${`<b>${long}</b>`}</p><p>${'<a href="'}${longAddress}">x</a>${long}</p>` : '<p>A body.</p>',
})

function rss(entries: ReturnType<typeof values>[]): string {
  const items = entries.map(
    (one) =>
      `<item><guid isPermaLink="false">${one.guid}</guid><link>${one.link}</link><title>${one.title}</title>
      <description>${one.summary}</description><dc:creator>${one.author}</dc:creator>
      ${`<category>${one.category}</category>`.repeat(60)}
      <media:content medium="image" url="${one.picture}"><media:description>${one.summary}</media:description></media:content>
      <enclosure type="video/mp4" url="${one.video}"/><content:encoded><![CDATA[${one.body}]]></content:encoded></item>`,
  )
  const names =
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
  return `<rss version="2.0" ${names}><channel><title>${long}</title><language>${long}</language>
    <link>${longAddress}</link>${items.join('')}</channel></rss>`
}

function json(entries: ReturnType<typeof values>[]): string {
  const items = entries.map((one) => ({
    id: one.guid,
    url: one.link,
    title: one.title,
    summary: one.summary,
    authors: [{ name: one.author }],
    tags: Array.from({ length: 60 }, (_, at) => `${at} ${one.category}`),
    image: one.picture,
    attachments: [{ url: one.video, mime_type: 'video/mp4' }],
    content_html: one.body,
  }))
  return JSON.stringify({ title: long, language: long, home_page_url: longAddress, items })
}

test('the limits are these', () => {
  expect(maxLength).toEqual({
    address: 2000,
    identity: 2000,
    title: 500,
    summary: 320,
    author: 300,
    person: 200,
    category: 100,
    pictureText: 300,
    feedTitle: 300,
    language: 35,
    correctionNote: 900,
    bodyText: 8000,
    bodyHtml: 40_000,
    rejected: 500,
    rawText: 1_048_576,
  })
  expect([maxPerEntry, maxCategories]).toEqual([50, 30])
})

onBothEngines('longest values', (freshUrl) => {
  beforeEach(async () => {
    host = await startFeedHost()
    closing.push(host.close)
    const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: ["${host.url}/feed"], maximum: 5, body: full }`
    const limits = { allow: ['127.0.0.1'], timeout: 60, maximumBytes: 100_000_000, alertAfter: '24h' }
    world = await openWorld({ storeUrl: await freshUrl(), job: { sections }, config: { feeds: limits } })
    closing.push(world.close)
  })

  const show = async (feed: string) => {
    host.answer('/feed', feed)
    return (await refreshFeeds({ ...world.app, wholeFeeds: new Set([`${host.url}/feed`]) }, [`${host.url}/feed`]))[0]
  }
  const articles = () => world.app.db.selectFrom('articles').selectAll().orderBy('place').execute()

  describe.each([
    ['XML', rss],
    ['JSON Feed', json],
  ])('in %s', (_, write) => {
    test.each(fields)(
      'a %s of a megabyte is cut or turned down, and the good article beside it is read',
      async (field) => {
        const report = await show(write([values(field, 1), { ...values('body', 2), body: '<p>A body.</p>' }]))
        const rejected = (await lastRejections(world.app.db, 10)).map(({ reason }) => describeReason(reason))
        const rows = await articles()
        expect(report).toMatchObject({ kind: 'read' })
        expect(rejected).toEqual(field === 'link' ? [`its link has more than ${maxLength.address} characters`] : [])
        expect(rows.map(({ url }) => url)).toEqual(
          (field === 'link' ? [2] : [1, 2]).map((index) => `https://magazine.example/${index}`),
        )
        for (const row of rows) {
          expect(row.identity.length).toBeLessThanOrEqual(maxLength.identity)
          expect(row.title.length).toBeLessThanOrEqual(maxLength.title)
          expect(row.summary.length).toBeLessThanOrEqual(maxLength.summary + 2)
          expect(row.author.length).toBeLessThanOrEqual(maxLength.author)
          const categories: string[] = JSON.parse(row.categories)
          expect(categories.length).toBeLessThanOrEqual(maxCategories)
          for (const category of categories) expect(category.length).toBeLessThanOrEqual(maxLength.category)
          const image = row.image && JSON.parse(row.image)
          expect((image?.url ?? '').length).toBeLessThanOrEqual(maxLength.address)
          expect((image?.alt ?? '').length).toBeLessThanOrEqual(maxLength.pictureText)
          expect((row.video ?? '').length).toBeLessThanOrEqual(maxLength.address + 100)
          expect((row.body ?? '').length).toBeLessThanOrEqual(maxLength.bodyHtml + 1000)
          expect((row.note ?? '').length).toBeLessThanOrEqual(maxLength.correctionNote + 2)
        }
        const [feed] = await world.app.db.selectFrom('feeds').selectAll().execute()
        expect(feed?.title.length).toBeLessThanOrEqual(maxLength.feedTitle)
        expect(feed?.siteUrl).toBeNull()
      },
    )
  })

  test('what is cut ends after a word, with an ellipsis', async () => {
    await show(json([values('title', 1)]))
    const [row] = await articles()
    expect(row?.title).toMatch(/^Ä word, and Ä.* (?:Ä|word|and) …$/)
  })

  test('a long guid is known again, whatever the format, and as its hash', async () => {
    const guid = 'g'.repeat(18_000)
    await show(rss([{ ...values('body', 1), guid, body: '' }]))
    const [first] = await articles()
    expect(first?.identity).toBe(`sha256:${createHash('sha256').update(guid).digest('hex')}`)
    await show(json([{ ...values('body', 1), guid, body: '' }]))
    expect((await articles()).map(({ id }) => id)).toEqual([first?.id])
  })

  test('one bad entry never loses the feed', async () => {
    const items = [
      `{"id":"${'k'.repeat(18_000)}","url":"https://magazine.example/1","title":"A long guid"}`,
      `{"id":"2","url":"https://magazine.example/${'k'.repeat(18_000)}","title":"A long link"}`,
      `{"id":"a\\u00\\u000000b","url":"https://magazine.example/3","title":"Broken off"}`,
      `{"id":"a\\u0000b","url":"https://magazine.example/4","title":"A NUL"}`,
      `{"id":"x${half}","url":"https://magazine.example/5","title":"Half of one"}`,
      `{"id":"x\\udfff","url":"https://magazine.example/6","title":"Half of another"}`,
      `{"id":"7","url":"https://magazine.example/7","title":"A good one"}`,
    ]
    const feed = `{"items":[${items.join(',')}]}`
    expect(await show(feed)).toMatchObject({ kind: 'read', rejected: 1 })
    const titles = ['A long guid', 'Broken off', 'A NUL', 'Half of one', 'Half of another', 'A good one']
    expect((await articles()).map(({ title }) => title)).toEqual(titles)
    await show(feed)
    expect(await articles()).toHaveLength(6)
  })
})
