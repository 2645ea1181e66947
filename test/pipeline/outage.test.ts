import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, expect, test } from 'vitest'
import { EditionPipeline } from '../../src/pipeline/advance.ts'
import { JobReader } from '../../src/pipeline/job-reader.ts'
import { chores } from '../../src/pipeline/schedule.ts'
import { openSender } from '../../src/pipeline/sending/sender.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import { isStoreUnavailable } from '../../src/store/drivers/failure.ts'
import { webApp } from '../../src/web/server.ts'
import { ownServer } from '../support/databases/databases.ts'
import { newsFeed, openWorld, publishTitles, subscribe } from '../support/world.ts'
import { editorOf, openSite } from '../web/site.ts'

const closing: (() => unknown)[] = []
const uncaught: unknown[] = []
const note = (error: unknown) => void uncaught.push(error)
process.on('uncaughtException', note)
process.on('unhandledRejection', note)

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  expect(uncaught.splice(0)).toEqual([])
})

afterAll(() => {
  process.removeListener('uncaughtException', note)
  process.removeListener('unhandledRejection', note)
})

test('while PostgreSQL is away every chore and page fails as a value, and all go on when it is back', async () => {
  const server = await ownServer()
  closing.push(server.remove)
  const storeUrl = `postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`
  const world = await openWorld({ storeUrl, job: { approval: 'required' } })
  closing.push(world.close)
  await publishTitles(world, newsFeed, ['One', 'Two', 'Three'])
  await subscribe(world, 3)
  const sender = await openSender(world.app)
  closing.push(sender.close)
  const web = webApp(world.app)
  const get = async (path: string, headers = {}) => web.request(path, { headers })
  const post = async (path: string, body: BodyInit = '', headers = {}) =>
    web.request(path, { method: 'POST', body, headers })
  const { cookie } = await editorOf({ get, post }, await makeSignInLink(world.app, 'mira'))
  const pages = ['/', '/studio', '/health']
  const statuses = async () => Promise.all(pages.map(async (page) => (await get(page, { cookie })).status))
  const { signal } = new AbortController()
  const pipeline = new EditionPipeline(world.app, sender, signal)
  const running = { app: world.app, sender, signal, pipeline, jobs: new JobReader(world.app) }
  const results = async () =>
    Promise.allSettled(chores.filter(({ name }) => name !== 'refresh-feeds').map((chore) => chore.run(running)))
  const before = await statuses()
  expect(before).toEqual([200, 200, 200])

  await server.stop()
  for (const result of await results()) {
    if (result.status === 'rejected') expect(isStoreUnavailable(result.reason), String(result.reason)).toBe(true)
  }
  expect(await statuses()).toEqual([503, 503, 503])
  const page = await get('/studio', { cookie })
  expect(page.headers.get('retry-after')).toBe('30')
  const text = await page.text()
  expect(text).toContain('reach our database right now')
  expect(text).not.toMatch(/our fault|127\.0\.0\.1|ECONN/)
  expect(await (await get('/health')).json()).toEqual({ status: 'not ok' })
  expect(world.app.store.availability.outage).toMatchObject({
    error: { kind: 'unreachable' },
    since: world.clock.now(),
  })

  await server.start()
  expect((await results()).filter(({ status }) => status === 'rejected')).toEqual([])
  expect(await statuses()).toEqual(before)
  expect(await (await get('/health')).json()).toEqual({ status: 'ok' })
  expect(await (await get('/health', { cookie })).json()).toMatchObject({ status: 'ok', store: 'PostgreSQL' })
})

test('while another program holds the write lock of SQLite, pages are answered, and what is written waits for it', async () => {
  const site = await openSite()
  closing.push(site.close)
  const editor = await site.signIn()
  const other = new DatabaseSync(site.app.config.store.url.slice('file:'.length))
  closing.push(() => other.close())
  other.exec('begin immediate')
  const leaving = site.post(`/leave/${site.key}`)
  const page = `/studio/editions/${site.edition.id}`
  for (const path of ['/studio', page, '/health', `/leave/${site.key}`])
    expect([path, (await editor.get(path)).status]).toEqual([path, 200])
  other.exec('rollback')
  expect((await leaving).status).toBe(200)
})
