import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { App } from '../../../app.ts'
import { describeEvent, describeLine } from '../../../describe/describe.ts'
import { feedUrlsOf } from '../../../editions/digest.ts'
import { runsWithGaps } from '../../../editions/schedule/calendar-runs.ts'
import { type FeedState, rateText, type WatchedFeed, watchedFeeds } from '../../../feeds/health.ts'
import { rejectionText } from '../../../feeds/rejection.ts'
import { countDeliveries } from '../../../store/deliveries/deliveries.ts'
import { countChosen } from '../../../store/editions/choices.ts'
import { latestEditions } from '../../../store/editions/editions.ts'
import { type PastEvent, personName } from '../../../store/events/event.ts'
import { newestFeedEvents } from '../../../store/events/events.ts'
import { lastRejections } from '../../../store/feeds/rejections.ts'
import { countWaitingLetters } from '../../../store/letters/letters.ts'
import type { EditionRow, RejectionRow } from '../../../store/schema.ts'
import { formatCount } from '../../../text/words.ts'
import { articlesAndLetters, deliveryLine, editionTitle, momentFormatter } from '../../format.ts'
import { type Env, renderPage, type Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { correctedText, type RefusedCorrection, waitingCorrectionsView } from '../corrections/correction-view.ts'
import { waitingFeeds } from '../feeds/waiting-feeds.ts'
import { statusNow } from './edition-status.ts'
import { failedEmails } from './failed-emails.ts'
import { jobProblems } from './job-problems.ts'
import { withSectionTitles } from './section-titles.ts'
import { sendingDoneText } from './sending-actions.ts'
import { waitingEditions } from './waiting-editions.ts'

const pageSize = 20
const maxFeeds = 200
const maxHistoryEntries = 3
const maxRejectionsShown = 5

/** The editors' first page: decisions, editions, schedule, corrections and feeds. */
export function studioPage(web: Web): Hono<Env> {
  return new Hono<Env>().get(urls.studio, (context) => showStudio(web, context))
}

export async function showStudio(
  web: Web,
  context: Context<Env>,
  { refused, alert = '' }: { refused?: RefusedCorrection; alert?: string } = {},
  code: ContentfulStatusCode = 200,
): Promise<Response> {
  const { app, base } = web
  const page = Math.min(1000, Math.max(1, Number.parseInt(context.req.query('page') ?? '1', 10) || 1))
  const rows = await latestEditions(app.db, { skip: (page - 1) * pageSize, limit: pageSize + 1 })
  const link = (number: number) => `${base}${urls.studio}?page=${number}`
  const decisions = await waitingEditions(web)
  const waiting = await waitingFeeds(web)
  const corrections = await waitingCorrectionsView(web, refused)
  const view = {
    alert,
    title: refused || alert ? 'Not done · Studio' : 'Studio',
    done: await sendingDoneText(web, context),
    isSendingStopped: context.var.sendingStop !== undefined,
    jobProblems: await jobProblems(web),
    failedEmails: await failedEmails(web),
    decisions,
    isWaiting: decisions.length + waiting.length + corrections.proposed.length > 0,
    waitingCount: formatCount(waiting.length, 'feed'),
    editions: await editionViews(web, rows.slice(0, pageSize)),
    newer: page > 1 ? link(page - 1) : '',
    older: rows.length > pageSize ? link(page + 1) : '',
    upcoming: upcomingRuns(app),
    waiting,
    letters: formatCount(await countWaitingLetters(app.db), 'letter'),
    ...(await feedViews(app, context.req.query('decided'))),
    corrections,
    corrected: await correctedText(web, context.req.query('corrected'), context.var.session?.staff),
  }
  return renderPage(web, context, 'studio', view, code)
}

async function editionViews({ app, base }: Web, rows: EditionRow[]) {
  const ids = rows.map((row) => row.id)
  const chosen = await countChosen(app.db, ids)
  const deliveries = await Promise.all(ids.map((id) => countDeliveries(app.db, id)))
  const states = await Promise.all(rows.map((row, index) => statusNow(app, row, deliveries[index])))
  return rows.map((row, index) => {
    const digest = app.digests.find((one) => one.name === row.digest)
    const counts = deliveries[index]
    return {
      href: base + pathTo(urls.studioEdition, row.id),
      name: editionTitle(row, digest),
      subject: row.subject,
      due: momentFormatter(digest?.zone)(row.dueAt),
      status: states[index],
      reason: row.reason ? describeLine(withSectionTitles(row.reason, digest)) : '',
      articles: articlesAndLetters(chosen.get(row.id)),
      deliveries: counts ? deliveryLine(counts) : '',
    }
  })
}

function upcomingRuns({ digests, clock }: App) {
  return digests.map((digest) => {
    const moment = momentFormatter(digest.zone)
    const approval = digest.approval === 'auto' ? 'Sent automatically' : 'Needs approval'
    const runs = runsWithGaps(digest, clock.now(), 3).map(({ dueAt, shift, skipped }) => {
      const reason = skipped?.reason ?? shift
      return { ...moment(dueAt), note: reason ? describeLine(reason) : '', isSkipped: skipped !== null }
    })
    return { title: digest.title, approval, runs }
  })
}

/** All feeds in trouble, and up to `maxFeeds` working ones. */
async function feedViews(app: App, decided: string | undefined) {
  const watched = await watchedFeeds(app, app.digests.flatMap(feedUrlsOf))
  const ids = watched.map(({ feed }) => feed.id)
  const past = Map.groupBy(await newestFeedEvents(app.db, ids, maxHistoryEntries), ({ feed }) => feed)
  const rejected = Map.groupBy(await lastRejections(app.db, maxRejectionsShown), ({ feedId }) => feedId)
  const views = watched.map((one) => feedView(one, past.get(one.feed.id) ?? [], rejected.get(one.feed.id) ?? []))
  const isWorking = (state: FeedState) => state === 'ok' || state === 'new'
  const working = views.filter(({ state }) => isWorking(state))
  const troubled = views.filter(({ state }) => !isWorking(state))
  return {
    feeds: {
      all: troubled.length > 0 ? '' : feedsWorking(working.length),
      troubled,
      working: working.slice(0, maxFeeds),
      more: Math.max(0, working.length - maxFeeds),
      count: formatCount(working.length, 'feed'),
    },
    decided: views
      .filter(({ id, past }) => id === decided && past.length > 0)
      .map(({ past: [last] }) => last?.what ?? ''),
  }
}

function feedsWorking(count: number): string {
  if (count === 0) return 'No feeds yet.'
  return count === 1 ? 'The feed is working.' : `All ${formatCount(count, 'feed')} are working.`
}

/** What happened, and who decided it. */
function feedLine(event: PastEvent): string {
  const name = personName(event.actor)
  return `${describeEvent(event)}${name === undefined ? '' : ` (${name})`}`
}

/** One feed with its latest history and rejected entries, newest first. */
function feedView(
  { feed: { id, url, address, title, succeededAt, weekly }, health }: WatchedFeed,
  history: PastEvent[],
  rejections: RejectionRow[],
) {
  return {
    id,
    past: history.map((event) => ({ at: momentFormatter()(event.at), what: feedLine(event) })),
    rejections: rejections.map((one) => ({ at: momentFormatter()(one.lastAt), what: rejectionText(one) })),
    title: title || url,
    url,
    moved: address ?? '',
    state: health.state,
    words: describeLine(health.reason),
    worked: succeededAt === null ? [] : [momentFormatter()(succeededAt)],
    weekly: weekly === null ? '' : rateText(weekly),
  }
}
