import type { App } from '../../app.ts'
import { envelopeSender } from '../../config/config.ts'
import type { Relay } from '../../deliveries/relays/relay.ts'
import { feedUrlsOf } from '../../editions/digest.ts'
import { type Health, type WatchedFeed, watchedFeeds } from '../../feeds/health.ts'
import { plainMail } from '../../mail/plain-mail.ts'
import { claimFeedNotice, notifiedTroubles, recordFeedEventOnce, recordFeedNotified } from '../../store/feeds/feeds.ts'
import type { FeedRow } from '../../store/schema.ts'
import { addMs, minute } from '../../time/clock.ts'

/** Who took it on to tell, and died over it, leaves it to others after this. */
const leaseMs = 5 * minute

/** What the editors are to be told of a feed, and what they have been told of already. */
type TroubledFeed = { feed: FeedRow; newTroubles: Health[]; reported: string[] }

/**
 * Tells the editors, in one letter, of the feeds that fail for longer than the rule, fell silent for longer than ever,
 * are gone, or wait for them: once of each trouble, as long as it lasts. A letter that the relay does not take is tried
 * again. Returns of how many it told.
 */
export async function sendFeedNotices(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const troubled: TroubledFeed[] = []
  for (const watched of await watchedFeeds(app, app.digests.flatMap(feedUrlsOf))) {
    const told = await stillReported(app, watched)
    const fresh = watched.problems.filter(({ state, isTrouble: trouble }) => trouble && !told.includes(state))
    if (fresh.length > 0 && (await claimNotice(app, watched.feed, told)))
      troubled.push({ feed: watched.feed, newTroubles: fresh, reported: told })
  }
  if (troubled.length === 0) return 0
  const { kind, reply } = await relay.send(feedNotice(app, troubled))
  const feeds = troubled.map(({ feed }) => feed.url)
  if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
    app.log.error({ feeds, reply }, 'the editors could not be told of feeds in trouble; it is tried again')
    return 0
  }
  const resultText = kind === 'refused' ? `the editors could not be told (${reply})` : 'the editors were told'
  for (const { feed, newTroubles: fresh, reported: told } of troubled) {
    for (const { message: words } of fresh)
      await recordFeedEventOnce(app.db, feed.id, `${resultText}: ${words}`, app.clock.now())
    await recordFeedNotified(app.db, feed.id, [...told, ...fresh.map(({ state }) => state)])
  }
  app.log.warn({ feeds, reply }, `of feeds in trouble ${resultText}`)
  return troubled.length
}

/** Of what they were told of, what is still the matter. The rest is over: they are told of it again if it comes again. */
async function stillReported({ db }: App, { feed, problems: matter }: WatchedFeed): Promise<string[]> {
  const told = notifiedTroubles(feed)
  const still = told.filter((kind) => matter.some(({ state }) => state === kind))
  if (still.length < told.length) await recordFeedNotified(db, feed.id, still)
  return still
}

function claimNotice({ db, clock }: App, feed: FeedRow, told: string[]): Promise<boolean> {
  return claimFeedNotice(db, feed.id, told, clock.now(), addMs(clock.now(), leaseMs))
}

function feedNotice({ config, clock }: App, troubled: TroubledFeed[]) {
  const { name, contact, editors } = config.publication
  const [first] = troubled
  const what = first?.newTroubles[0]?.state
  const subject =
    troubled.length === 1 && first && what
      ? `${name}: the feed ${first.feed.title || first.feed.url} ${stateTexts[what]}`
      : `${name}: ${troubled.length} feeds are in trouble`
  const about = troubled.map(({ feed, newTroubles: fresh }) =>
    [feed.title, feed.url, ...fresh.map(healthSentence), lastSuccessText(feed)]
      .filter((line) => line !== '')
      .join('\n'),
  )
  const text = `${about.join('\n\n')}\n\nYou are told once. How all feeds are is shown in the studio:\n${config.web.url.replace(/\/+$/, '')}/studio\n`
  return plainMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject,
    text,
    date: clock.now(),
  })
}

function healthSentence({ state, message: words }: Health): string {
  const toDo =
    state === 'waits' ? ' Nothing of it goes out until one of you says, in the studio, that they are new or old.' : ''
  return `It ${words}.${toDo}`
}

const stateTexts: Record<Health['state'], string> = {
  failing: 'fails',
  silent: 'fell silent',
  gone: 'is gone',
  waits: 'waits for you',
  new: 'is new',
  ok: 'works',
}

function lastSuccessText({ succeededAt }: FeedRow): string {
  return succeededAt === null ? 'It was never read.' : `It was last read on ${succeededAt}.`
}
