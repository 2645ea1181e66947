import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import {
  acceptCorrection,
  dismissCorrection,
  statusText,
  withdrawCorrection,
} from '../../../src/editions/corrections/decide.ts'
import { detectInFeeds, detectOnPages, settleByFeed } from '../../../src/editions/corrections/detect.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { seal } from '../../../src/editions/seal.ts'
import { saveArticles } from '../../../src/store/articles/articles.ts'
import {
  correctionById,
  correctionsIn,
  latestCorrections,
  waitingCorrections,
} from '../../../src/store/corrections/corrections.ts'
import { type PrintedTitleRow, printedTitleOf } from '../../../src/store/corrections/printed-titles.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { toJson } from '../../../src/store/json.ts'
import { day, hour } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { type FeedHost, startFeedHost } from '../../support/feeds.ts'
import { editionHistory } from '../../support/history.ts'
import { makeDatedArticle, newsFeed, openWorld, plainRender, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('an accepted correction', (freshUrl) => {
  /** An approved edition of two articles; the late check asks their pages, and those of corrections. */
  async function open(lateCheck = true) {
    const host = await startFeedHost()
    const job = { lateCheck: String(lateCheck), thin: '{ minimum: 0 }' }
    const world = await openWorld({ storeUrl: await freshUrl(), feeds: { allow: [`127.0.0.1:${host.port}`] }, job })
    closing.push(host.close, world.close)
    for (const path of ['/one', '/two']) answer(host, path, `Page of ${path}`)
    const it = { ...world, host }
    await shows(it, ['One', 'Two'])
    await sealed(it)
    return it
  }
  type Open = Awaited<ReturnType<typeof open>>

  async function shows({ app, clock, host }: Pick<Open, 'app' | 'clock' | 'host'>, titles: string[]): Promise<void> {
    const [feed] = await ensureFeeds(app.db, [newsFeed], clock.now())
    const paths = ['/one', '/two']
    const shown = titles.map((title, index) => ({
      ...makeDatedArticle(title, new Date(0)),
      identity: paths[index] ?? '',
      url: host.url + paths[index],
    }))
    await saveArticles(app.db, feed?.id ?? '', shown, clock.now())
  }

  /** Seals and approves an edition now; returns its id and the words of the corrections that it prints. */
  async function sealed(it: World) {
    const made = await compose(it.app, it.digest, it.clock.now())
    const { id } = await seal({ ...it.app, render: plainRender }, made?.id ?? '', it.digest)
    await approve(it.app, id, 'Ada', { anyway: true }) // there is no article in it
    return { id, prints: (await correctionsIn(it.app.db, id)).map(({ words }) => words) }
  }

  /** The page of One is gone, which an editor has accepted. */
  async function gone(it: Open): Promise<string> {
    it.host.answer('/one', (_, response) => void response.writeHead(404).end())
    for (const passed of [3 * hour, hour]) {
      it.clock.advance(passed)
      await detectOnPages(it.app, it.app.digests)
    }
    return await accept(it)
  }

  async function accept(it: World): Promise<string> {
    const [proposed] = await waitingCorrections(it.app.db)
    await acceptCorrection(it.app, proposed?.id ?? '', 'Ada')
    return proposed?.id ?? ''
  }

  const known = async (it: World, id: string) => {
    const correction = await correctionById(it.app.db, id)
    if (!correction) throw new Error('no such correction')
    return correction
  }

  test('whose page is back waits for an editor, says since when, and is not printed', async () => {
    const it = await open()
    const id = await gone(it)
    answer(it.host, '/one', 'Page of /one')
    it.clock.advance(day)
    await detectOnPages(it.app, it.app.digests)
    const since = it.clock.now()
    expect(statusText(await known(it, id))).toBe(
      `accepted by Ada, but now in doubt: the page is back since ${since}; it waits for an editor`,
    )
    expect(await waitingCorrections(it.app.db)).toMatchObject([{ id, status: 'doubted' }])
    it.clock.advance(6 * day)
    expect((await sealed(it)).prints).toEqual([])
    await dismissCorrection(it.app, id, 'Ben')
    expect(await waitingCorrections(it.app.db)).toEqual([])
  })

  test('is looked at once more just before the seal, though nobody has looked since it was accepted', async () => {
    const it = await open()
    const id = await gone(it)
    answer(it.host, '/one', 'Page of /one')
    it.clock.advance(hour)
    const { id: second, prints } = await sealed(it)
    expect(prints).toEqual([])
    expect(await known(it, id)).toMatchObject({
      status: 'doubted',
      undoneWhy: toJson({ code: 'page-back' }),
      printedIn: null,
    })
    expect((await editionHistory(it.app.db, second)).map(({ what }) => what)).toContain(
      'The correction of “One” is left out: it no longer applies',
    )
  })

  test('that is still so at the seal is printed; of a page that does not answer it waits for the next edition', async () => {
    const it = await open()
    const id = await gone(it)
    it.host.answer('/one', (_, response) => void response.writeHead(500).end())
    it.clock.advance(hour)
    expect((await sealed(it)).prints).toEqual([])
    expect((await known(it, id)).status).toBe('accepted')
    it.host.answer('/one', (_, response) => void response.writeHead(404).end())
    it.clock.advance(hour)
    expect((await sealed(it)).prints).toEqual(['This article has been taken down since.'])
  })

  test('that an editor confirms in spite of the doubt is printed', async () => {
    const it = await open()
    const id = await gone(it)
    answer(it.host, '/one', 'Page of /one')
    it.clock.advance(day)
    await detectOnPages(it.app, it.app.digests)
    await acceptCorrection(it.app, id, 'Ben', 'It was taken down for a day.')
    it.clock.advance(hour)
    expect((await sealed(it)).prints).toEqual(['It was taken down for a day.'])
  })

  test('that an editor confirms in spite of the doubt stays accepted at the next look', async () => {
    const it = await open()
    const id = await gone(it)
    answer(it.host, '/one', 'Page of /one')
    it.clock.advance(day)
    await detectOnPages(it.app, it.app.digests)
    expect((await known(it, id)).status).toBe('doubted')
    await acceptCorrection(it.app, id, 'Ben')
    it.clock.advance(2 * day)
    it.host.asked.length = 0
    await detectOnPages(it.app, it.app.digests)
    expect(it.host.asked).toContain('/one')
    expect(await known(it, id)).toMatchObject({ status: 'accepted', decidedBy: 'Ben' })
  })

  test('of a headline on the page is not doubted because the feed shows the one of before', async () => {
    const it = await open()
    answer(it.host, '/one', 'Another headline')
    it.clock.advance(3 * hour)
    await detectOnPages(it.app, it.app.digests)
    const id = await accept(it)
    const correction = await known(it, id)
    expect(correction).toMatchObject({ kind: 'headline', source: 'page', status: 'accepted' })
    const said = await printedTitleOf(it.app.db, correction.editionId, correction.articleId)
    await settleByFeed(it.app, said as PrintedTitleRow)
    expect((await known(it, id)).status).toBe('accepted')
  })

  test('that is so again after a doubt is proposed again, in the words of before', async () => {
    const it = await open()
    await shows(it, ['One is two', 'Two'])
    it.clock.advance(hour)
    await detectInFeeds(it.app, it.app.digests)
    const id = await accept(it)
    await shows(it, ['One', 'Two'])
    await detectInFeeds(it.app, it.app.digests)
    expect(await known(it, id)).toMatchObject({
      status: 'doubted',
      undoneWhy: toJson({ code: 'headline-now', title: 'One' }),
    })
    await shows(it, ['One is two', 'Two'])
    await detectInFeeds(it.app, it.app.digests)
    expect(await known(it, id)).toMatchObject({ status: 'proposed', undoneAt: null, decidedBy: null })
    expect((await known(it, id)).words).toContain('One is two')
  })

  test('of a headline that the feed has restored is found before the seal, without asking a page', async () => {
    const it = await open(false)
    await shows(it, ['One is two', 'Two'])
    it.clock.advance(hour)
    await detectInFeeds(it.app, it.app.digests)
    const id = await accept(it)
    await shows(it, ['One', 'Two'])
    it.host.asked.length = 0
    expect((await sealed(it)).prints).toEqual([])
    expect((await known(it, id)).status).toBe('doubted')
    expect(it.host.asked).toEqual([])
  })

  test('is withdrawn with the reason, once; what readers have is corrected in the next edition', async () => {
    const it = await open()
    const id = await gone(it)
    it.clock.advance(hour)
    const second = await sealed(it)
    expect(second.prints).toEqual(['This article has been taken down since.'])
    await expect(withdrawCorrection(it.app, id, 'Ben', ' ')).rejects.toThrow('please say why')
    answer(it.host, '/one', 'Page of /one')
    await withdrawCorrection(it.app, id, 'Ben', 'The page is back.')
    await expect(withdrawCorrection(it.app, id, 'Ben', 'The page is back.')).rejects.toThrow('is withdrawn already')
    it.clock.advance(hour)
    expect((await sealed(it)).prints).toEqual([
      'An earlier correction, “This article has been taken down since.”, does not hold: The page is back.',
    ])
  })

  test('that is not printed yet is withdrawn for good; one in an edition that is not out is given back by cancelling', async () => {
    const it = await open()
    const id = await gone(it)
    const made = await compose(it.app, it.digest, it.clock.now())
    const { id: second } = await seal({ ...it.app, render: plainRender }, made?.id ?? '', it.digest)
    await expect(withdrawCorrection(it.app, id, 'Ben', 'Wrong.')).rejects.toMatchObject({
      code: 'conflict',
      hint: 'Cancelling that edition gives it back.',
    })
    await cancel(it.app, second, 'Ada', 'not today')
    await withdrawCorrection(it.app, id, 'Ben', 'Wrong.')
    expect(await latestCorrections(it.app.db, undefined, 9)).toMatchObject([
      { status: 'withdrawn', decidedBy: 'Ada', withdrawnBy: 'Ben', withdrawnReason: 'Wrong.' },
    ])
    it.clock.advance(hour)
    expect((await sealed(it)).prints).toEqual([])
  })
})

function answer(host: FeedHost, path: string, title: string): void {
  const html = `<head><meta property="og:type" content="article"><meta property="og:title" content="${title}"></head>
<body><article><p>A long story about trams, and how they came to cross the bridge at last.</p></article></body>`
  host.answer(path, (_, response) => void response.setHeader('content-type', 'text/html').end(html))
}
