import type { App } from '../../app.ts'
import { describeReason } from '../../describe/describe.ts'
import { feedUrlsOf } from '../../editions/digest.ts'
import { type Health, type WatchedFeed, watchedFeeds } from '../../feeds/health.ts'
import { addFeedEventOnce } from '../../store/events/events.ts'
import { fromJson } from '../../store/json.ts'
import { addMails, deleteMails, type MailFacts, mailKey, mailsOfKind, type NewMail } from '../../store/outbox/outbox.ts'
import type { FeedRow } from '../../store/schema.ts'
import { momentText } from '../../time/moment.ts'
import type { WriteMail } from '../written-mail.ts'
import { editorsMail, studioLink } from './editors-mail.ts'

const kind = 'feed-trouble'

/**
 * Adds one notice for each problem of a feed: it fails longer than the rule allows, is silent longer than ever, is gone,
 * or needs a decision. Deletes the notices of solved problems, so that a problem that returns is notified again.
 */
export async function addFeedNotices(app: App): Promise<void> {
  const { db, clock } = app
  const watched = await watchedFeeds(app, app.digests.flatMap(feedUrlsOf))
  const lasting = new Set(watched.flatMap(({ feed, problems }) => problems.map(({ state }) => keyOf(feed, state))))
  const known = await mailsOfKind(db, kind)
  const watchedIds = new Set(watched.map(({ feed }) => feed.id))
  const over = known.filter(
    ({ key, facts }) => !lasting.has(key) && watchedIds.has((fromJson(facts) as MailFacts['feed-trouble']).feed),
  )
  if (over.length > 0) await deleteMails(db, { ids: over.map(({ id }) => id) })
  const mails = watched.flatMap(({ feed, problems }) =>
    problems
      .filter(({ isTrouble }) => isTrouble)
      .map(({ state }): NewMail => ({ kind, about: [feed.id, state], facts: { feed: feed.id, trouble: state } })),
  )
  await addMails(db, mails, clock.now())
}

function keyOf({ id }: FeedRow, state: string): string {
  return mailKey(kind, [id, state])
}

type TroubledFeed = { feed: FeedRow; troubles: Health[] }

/** Writes one email about all queued problems that still last; undefined if there is none. */
export const writeFeedNotice: WriteMail<'feed-trouble'> = async (app, facts) => {
  const due = new Set(facts.map(({ feed, trouble }) => mailKey(kind, [feed, trouble])))
  const toTroubled = ({ feed, problems }: WatchedFeed): TroubledFeed => ({
    feed,
    troubles: problems.filter(({ state }) => due.has(keyOf(feed, state))),
  })
  const watched = await watchedFeeds(app, app.digests.flatMap(feedUrlsOf))
  const troubled = watched.map(toTroubled).filter(({ troubles }) => troubles.length > 0)
  if (troubled.length === 0) return undefined
  const lines = [
    ...troubled.flatMap((one) => [...feedLines(one, app.digests[0]?.zone), '']),
    'There is no other email about this while it lasts. The studio shows all feeds:',
    studioLink(app.config.web),
  ]
  return {
    ...editorsMail(app.config, { subject: subjectOf(troubled), lines }),
    async record(db, { result, reply }, now) {
      for (const { feed, troubles } of troubled)
        for (const { reason: problem } of troubles) {
          const about = { actor: 'system' as const, feed: feed.id }
          const event =
            result === 'sent'
              ? { kind: 'feed.notice_sent' as const, ...about, data: { problem } }
              : { kind: `feed.notice_${result}` as const, ...about, data: { problem, reply } }
          await addFeedEventOnce(db, event, now)
        }
    },
  }
}

function subjectOf(troubled: TroubledFeed[]): string {
  const [first] = troubled
  const state = first?.troubles[0]?.state
  if (troubled.length > 1 || !first || !state) return `${troubled.length} feeds are in trouble`
  return `the feed ${first.feed.title || first.feed.url} ${stateTexts[state]}`
}

function feedLines({ feed, troubles }: TroubledFeed, zone: string | undefined): string[] {
  const { title, url, succeededAt } = feed
  const read =
    succeededAt === null ? 'It has never been read.' : `It was last read on ${momentText(zone)(succeededAt)}.`
  return [title, url, ...troubles.map(troubleText), read].filter((line) => line !== '')
}

function troubleText({ state, reason }: Health): string {
  const cause = reason.code === 'articles-wait' ? reason.reason : reason
  const isAboutPublisher = cause.code === 'feed-changed-hands'
  const toDo = isAboutPublisher
    ? ' Nothing of it is sent until one of you says in the studio whether it is the same publisher or not ours.'
    : ' They are not sent until one of you says in the studio whether they are new or old.'
  return `It ${describeReason(reason)}.${state === 'waits' ? toDo : ''}`
}

const stateTexts: Record<Health['state'], string> = {
  failing: 'fails',
  silent: 'fell silent',
  gone: 'is gone',
  waits: 'waits for you',
  refused: 'is not ours',
  new: 'is new',
  ok: 'works',
}
