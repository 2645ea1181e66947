import { createHash } from 'node:crypto'
import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Clock } from '../time/clock.ts'
import { closeServer, listen, loopbackHost } from './listen.ts'
import { pictureNames, readFixture, readMagazine } from './magazine.ts'
import { feedXml } from './magazine-feeds.ts'
import { articlePage, homePage, missingPage, type Page } from './magazine-pages.ts'

export type FeedServer = {
  /** The magazine's front page, without a slash at the end. */
  url: string
  feeds: { latest: string; lastWord: string; focus: string; tv: string }
  close(): Promise<void>
}

/**
 * Serves the made-up magazine on this machine: its front page, articles, pictures and four feeds. Dates are relative to
 * the start and then fixed, so that a second fetch gets a 304.
 */
export async function startFeedServer(options: { clock: Clock; port?: number }): Promise<FeedServer> {
  const app = Promise.withResolvers<Hono>() // its links contain the port, which is known after listening
  const server = createAdaptorServer({
    fetch: async (request, env) => (await app.promise).fetch(request, env),
  }) as Server
  const magazine = await readMagazine(options.clock.now())
  const url = `http://${loopbackHost}:${await listen(server, options.port ?? 0)}`
  app.resolve(await magazineApp({ magazine, site: url }))
  return {
    url,
    feeds: {
      latest: `${url}/feeds/latest.xml`,
      lastWord: `${url}/feeds/last-word.xml`,
      focus: `${url}/feeds/focus.xml`,
      tv: `${url}/feeds/tv.xml`,
    },
    close: () => closeServer(server),
  }
}

const policy =
  "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

async function magazineApp(page: Page): Promise<Hono> {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    context.header('Content-Security-Policy', policy)
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('Referrer-Policy', 'no-referrer')
  })
  app.get('/', (context) => context.html(homePage(page)))
  for (const section of page.magazine.sections) {
    const xml = await feedXml(page.magazine, section, page.site)
    const kind = section.name === 'last-word' ? 'application/atom+xml' : 'application/rss+xml'
    const modified = section.articles[0]?.publishedAt ?? ''
    app.get(section.feed, (context) => sendFeed(context, { xml, kind, modified }))
    for (const article of section.articles)
      app.get(article.path, (context) => context.html(articlePage(page, section, article)))
  }
  await addFile(app, '/magazine.css', 'magazine.css', 'text/css; charset=utf-8')
  for (const name of await pictureNames())
    await addFile(app, `/pictures/${name}.jpg`, `pictures/${name}.jpg`, 'image/jpeg')
  app.notFound((context) => context.html(missingPage(page), 404))
  return app
}

async function addFile(app: Hono, path: string, fixture: string, kind: string): Promise<void> {
  const bytes = await readFixture(fixture)
  app.get(path, (context) =>
    context.body(bytes, 200, { 'Content-Type': kind, 'Cache-Control': 'public, max-age=3600' }),
  )
}

/** `If-Modified-Since` counts only without `If-None-Match` (RFC 9110 §13.2.2). */
function sendFeed(context: Context, feed: { xml: string; kind: string; modified: string }): Response {
  const etag = `"${createHash('sha256').update(feed.xml).digest('base64url').slice(0, 22)}"`
  const headers = {
    ETag: etag,
    'Last-Modified': new Date(feed.modified).toUTCString(),
    'Cache-Control': 'no-cache',
    'Content-Type': `${feed.kind}; charset=utf-8`,
  }
  return isFresh(context, etag, feed.modified) ? context.body(null, 304, headers) : context.body(feed.xml, 200, headers)
}

function isFresh(context: Context, etag: string, modified: string): boolean {
  const known = context.req.header('if-none-match')
  if (known !== undefined) return known.split(',').some((each) => ['*', etag].includes(each.trim().replace(/^W\//, '')))
  const since = Date.parse(context.req.header('if-modified-since') ?? '')
  return since >= Date.parse(modified)
}
