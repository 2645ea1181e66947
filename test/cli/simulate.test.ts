import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { saveArticles } from '../../src/store/articles/articles.ts'
import { addEdition } from '../../src/store/editions/editions.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { openStore } from '../../src/store/open.ts'
import { day } from '../../src/time/clock.ts'
import { makeHome } from '../support/home.ts'
import { makeDatedArticle } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A feed that lists what `items` says, and the home of an operator who has read it since `weeksAgo`. */
async function homeWithHistory(weeks: number) {
  let items: string[] = []
  const server = createServer((_, response) => {
    const xml = items.map(
      (title) =>
        `<item><guid>new ${title}</guid><link>https://moved.example/${title.replaceAll(' ', '-')}</link><title>${title}</title></item>`,
    )
    response.writeHead(200, { 'content-type': 'application/rss+xml' })
    response.end(
      `<rss version="2.0"><channel><title>M</title><link>https://m.example/</link>${xml.join('')}</channel></rss>`,
    )
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  closing.push(() => new Promise((done) => server.close(done)))
  const host = `127.0.0.1:${(server.address() as { port: number }).port}`
  const home = makeHome({ feeds: `http://${host}`, allow: [host] })
  closing.push(home.remove)
  const now = Date.now()
  const at = (week: number) => new Date(now - week * 7 * day).toISOString()
  const store = await openStore(`file:${join(home.folder, 'data/lastword.db')}`, { now: () => at(0) })
  const url = `http://${host}/latest.xml`
  const [feed] = await ensureFeeds(store.db, [url], at(weeks))
  for (let week = weeks; week > 0; week--) {
    const pieces = [1, 2].map((index) =>
      makeDatedArticle(`What happened in town, part ${index} of week ${week}`, new Date(at(week))),
    )
    await saveArticles(store.db, feed?.id ?? '', pieces, at(week))
  }
  await store.close()
  const list = (titles: string[]) => {
    items = titles
  }
  return { home, url, list }
}

test('simulate prints and renders the editions that would have been sent, and makes none', async () => {
  const { home } = await homeWithHistory(6)
  const out = join(home.folder, 'out')
  const { code, stdout } = await home.lastword('simulate', 'weekly', '--weeks', '4', '--out', out, '--json')
  expect(code).toBe(0)
  const editions = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(editions.length).toBe(4)
  expect(editions.reduce((sum, edition) => sum + edition.chosen, 0)).toBeGreaterThanOrEqual(6)
  for (const edition of editions) expect(edition.file === null || existsSync(edition.file)).toBe(true)
  expect(editions.some((edition) => edition.file?.endsWith('index.html'))).toBe(true)
  const made = editions.filter(({ status }) => status !== 'skipped')
  expect(made.map(({ status, number }) => [status, number])).toEqual([1, 2, 3].map((number) => ['waiting', number]))
  expect((await home.lastword('edition', 'list')).stdout.trim()).toBe('')
  expect((await home.lastword('simulate', 'weekly', '--weeks', '4')).stdout).toMatch(
    /4 runs in 4 weeks: \d would have waited for approval, 0 would have been held/,
  )
})

test('simulate says what it cannot know, and what is wrong with a number of weeks or a digest that is none', async () => {
  const { home } = await homeWithHistory(1)
  const help = (await home.lastword('simulate', '--help')).stdout.replace(/\s+/g, ' ')
  expect(help).toContain('Quarantined articles count as new')
  for (const weeks of ['0', '-1', '1.5', 'many', '521'])
    expect(await home.lastword('simulate', 'weekly', '--weeks', weeks)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected a whole number'),
    })
  expect(await home.lastword('simulate', 'monthly')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no digest "monthly"'),
  })
})

test('feeds refresh says that a feed waits for an editor, feeds list shows it, and ignore or release decides', async () => {
  const { home, url, list } = await homeWithHistory(6)
  await home.lastword('run', 'weekly', '--dry-run') // the feed is met: what it showed is known
  list([6, 5, 4, 3].flatMap((week) => [1, 2].map((index) => `What happened in town, part ${index} of week ${week}`)))
  expect((await home.lastword('feeds', 'refresh')).stderr).toContain(
    `8 articles of ${url} wait for an editor: 8 new articles at once`,
  )
  expect((await home.lastword('feeds', 'list')).stdout).toContain('quarantined: 8 new articles at once')
  const inJson = (await home.lastword('feeds', 'list', '--json')).stdout.trim().split('\n')
  expect(inJson.map((line) => JSON.parse(line)).find((feed) => feed.url === url)).toMatchObject({ state: 'waits' })
  for (const command of [
    ['run', 'weekly', '--dry-run'],
    ['edition', 'preview', 'weekly', '--out', join(home.folder, 'preview')],
    ['run', 'weekly'],
  ])
    expect((await home.lastword(...command)).stderr).toContain(`lastword feeds release ${url}   if they are new`)
  expect(await home.lastword('feeds', 'ignore', url)).toMatchObject({
    code: 0,
    stdout: `${url}: 8 articles are known or backlog\n`,
  })
  expect(await home.lastword('feeds', 'release', url)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no articles of'),
  })
})

test('the numbers of simulated editions go on from the edition that was due before them', async () => {
  const { home } = await homeWithHistory(6)
  const store = await openStore(`file:${join(home.folder, 'data/lastword.db')}`, {
    now: () => new Date().toISOString(),
  })
  const at = (daysAgo: number) => new Date(Date.now() - daysAgo * day).toISOString()
  for (const [number, daysAgo] of [
    [7, 30],
    [8, 20],
  ] as const) {
    const digest = { ...minimal(), name: 'weekly' }
    await addEdition(store.db, { ...blankEdition('secret', digest, at(daysAgo), at(daysAgo)), number, status: 'sent' })
  }
  await store.close()
  const { stdout } = await home.lastword('simulate', 'weekly', '--weeks', '4', '--json')
  const lines = stdout.trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).number)).toEqual([null, 8, 9, 10])
})

const minimal = () => readDigest('fixtures/jobs/minimal.yml', 'templates')
