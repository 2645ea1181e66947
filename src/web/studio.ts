import { type Context, Hono } from 'hono'
import type { App } from '../app.ts'
import { runsAfter } from '../editions/due.ts'
import { countDeliveries } from '../store/deliveries.ts'
import { countChosen, latestEditions } from '../store/editions.ts'
import { allFeeds } from '../store/feeds.ts'
import type { EditionRow } from '../store/schema.ts'
import { type Env, show, type Web } from './answer.ts'
import { waitingFeeds } from './feed-actions.ts'
import { pathTo, urls } from './urls.ts'
import { counted, deliveryLine, editionTitle, momentWriter, statusView } from './words.ts'

const pageSize = 20

/** The editors' first page: the editions, what is due next, and the feeds that trouble us. */
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
    editions: await toEditions(web, rows.slice(0, pageSize)),
    newer: page > 1 ? link(page - 1) : '',
    older: rows.length > pageSize ? link(page + 1) : '',
    upcoming: upcoming(app),
    waiting: await waitingFeeds(web),
    troubled: await troubledFeeds(app),
  })
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
      status: statusView(row.status),
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

async function troubledFeeds({ db }: App) {
  const moment = momentWriter()
  const feeds = await allFeeds(db)
  return feeds.flatMap(({ url, title, error, failures, succeededAt }) => {
    if (error === null) return []
    const times = failures === 1 ? 'once' : `${counted(failures, 'time')} in a row`
    return [{ title: title || url, url, error, times, worked: succeededAt === null ? [] : [moment(succeededAt)] }]
  })
}
