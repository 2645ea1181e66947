import { type Context, Hono } from 'hono'
import type { App } from '../app.ts'
import { feedsListed } from '../editions/digest.ts'
import { runsAfter } from '../editions/due.ts'
import { isPaused } from '../editions/review.ts'
import { type FeedState, type Watched, watchedFeeds } from '../feeds/health.ts'
import { countDeliveries } from '../store/deliveries.ts'
import { countChosen, editionsIn, latestEditions } from '../store/editions.ts'
import type { EditionRow } from '../store/schema.ts'
import { type Env, show, type Web } from './answer.ts'
import { brakeDone } from './brake-actions.ts'
import { waitingFeeds } from './feed-actions.ts'
import { pathTo, urls } from './urls.ts'
import { counted, deliveryLine, editionTitle, momentWriter, statusView } from './words.ts'

const pageSize = 20
const mostFeeds = 200

/** The editors' first page: the editions, what is due next, and how the feeds are. */
export function studioPage(web: Web): Hono<Env> {
  return new Hono<Env>().get(urls.studio, (context) => studio(web, context))
}

async function studio(web: Web, context: Context<Env>): Promise<Response> {
  const { app, base } = web
  const page = Math.min(1000, Math.max(1, Number.parseInt(context.req.query('page') ?? '1', 10) || 1))
  const rows = await latestEditions(app.db, { skip: (page - 1) * pageSize, limit: pageSize + 1 })
  const link = (number: number) => `${base}${urls.studio}?page=${number}`
  return show(web, context, 'studio', {
    title: 'Studio',
    done: await brakeDone(web, context),
    isBraked: context.var.brake !== undefined,
    paused: await pausedEditions(web),
    editions: await toEditions(web, rows.slice(0, pageSize)),
    newer: page > 1 ? link(page - 1) : '',
    older: rows.length > pageSize ? link(page + 1) : '',
    upcoming: upcoming(app),
    waiting: await waitingFeeds(web),
    feeds: await feeds(app),
  })
}

/** Those that stopped in the middle of their sending: somebody has to decide. */
async function pausedEditions({ app, base }: Web) {
  const held = await editionsIn(app.db, ['held'])
  return held.filter(isPaused).map((row) => ({
    href: base + pathTo(urls.studioEdition, row.id),
    name: editionTitle(
      row,
      app.digests.find((one) => one.name === row.digest),
    ),
    reason: row.reason ?? '',
  }))
}

async function toEditions({ app, base }: Web, rows: EditionRow[]) {
  const ids = rows.map((row) => row.id)
  const chosen = await countChosen(app.db, ids)
  const deliveries = await Promise.all(ids.map((id) => countDeliveries(app.db, id)))
  return rows.map((row, index) => {
    const digest = app.digests.find((one) => one.name === row.digest)
    const counts = deliveries[index]
    return {
      href: base + pathTo(urls.studioEdition, row.id),
      name: editionTitle(row, digest),
      subject: row.subject,
      due: momentWriter(digest?.zone)(row.dueAt),
      status: statusView(row),
      reason: row.reason ?? '',
      articles: counted(chosen.get(row.id) ?? 0, 'article'),
      deliveries: counts ? deliveryLine(counts) : '',
    }
  })
}

function upcoming({ digests, clock }: App) {
  return digests.map((digest) => {
    const moment = momentWriter(digest.zone)
    const approval = digest.approval === 'auto' ? 'goes out by itself' : 'waits for approval'
    return { title: digest.title, approval, runs: runsAfter(digest, clock.now(), 3).map(moment) }
  })
}

/** Those that do not work first; of the rest as many as a page holds. */
async function feeds(app: App) {
  const watched = await watchedFeeds(app, app.digests.flatMap(feedsListed))
  const views = watched.map(toFeed)
  const well = (state: FeedState) => state === 'ok' || state === 'new'
  const working = views.filter(({ state }) => well(state))
  return {
    troubled: views.filter(({ state }) => !well(state)),
    working: working.slice(0, mostFeeds),
    more: Math.max(0, working.length - mostFeeds),
    count: counted(working.length, 'feed'),
  }
}

function toFeed({ feed: { url, address, title, succeededAt, weekly }, health }: Watched) {
  return {
    title: title || url,
    url,
    moved: address ?? '',
    state: health.state,
    words: `${health.words.slice(0, 1).toUpperCase()}${health.words.slice(1)}`,
    worked: succeededAt === null ? [] : [momentWriter()(succeededAt)],
    weekly: weekly === null ? '' : `${weekly} articles a week`,
  }
}
