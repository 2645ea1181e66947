import type { App } from './app.ts'
import { later, minute } from './clock.ts'
import type { Relay } from './deliveries/relay.ts'
import { feedsListed } from './editions/digest.ts'
import { type Health, type Watched, watchedFeeds } from './feeds/health.ts'
import { noticeMail } from './messages/notice.ts'
import { claimTelling, noteFeed, recordTold } from './store/feeds.ts'
import type { FeedRow } from './store/schema.ts'

/** Who took it on to tell, and died over it, leaves it to others after this. */
const telling = 5 * minute

/**
 * Tells the editors, in one letter, of the feeds that fail for longer than the rule, fell silent for longer than ever,
 * or are gone: once of each trouble. A letter that the relay does not take is tried again. Returns of how many it told.
 */
export async function watchFeeds(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const troubled: Watched[] = []
  for (const { feed, health } of await watchedFeeds(app, app.digests.flatMap(feedsListed))) {
    if (!health.trouble) {
      if (feed.toldOf !== null) await recordTold(app.db, feed.id, null)
    } else if (feed.toldOf !== health.state && (await take(app, feed, health))) troubled.push({ feed, health })
  }
  if (troubled.length === 0) return 0
  const { kind, reply } = await relay.send(letterAbout(app, troubled))
  const feeds = troubled.map(({ feed }) => feed.url)
  if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
    app.log.error({ feeds, reply }, 'the editors could not be told of feeds in trouble; it is tried again')
    return 0
  }
  const told = kind === 'refused' ? `the editors could not be told (${reply})` : 'the editors were told'
  for (const { feed, health } of troubled) {
    await noteFeed(app.db, feed.id, `${told}: ${health.words}`, app.clock.now())
    await recordTold(app.db, feed.id, health.state)
  }
  app.log.warn({ feeds, reply }, `of feeds in trouble ${told}`)
  return troubled.length
}

function take({ db, clock }: App, feed: FeedRow, health: Health): Promise<boolean> {
  return claimTelling(db, feed.id, health.state, clock.now(), later(clock.now(), telling))
}

function letterAbout({ config, clock }: App, troubled: Watched[]) {
  const { name, contact, editors } = config.publication
  const [first] = troubled
  const subject =
    troubled.length === 1 && first
      ? `${name}: the feed ${first.feed.title || first.feed.url} ${inShort[first.health.state]}`
      : `${name}: ${troubled.length} feeds are in trouble`
  const about = troubled.map(({ feed, health }) =>
    [feed.title, feed.url, `It ${health.words}.`, lastSuccess(feed)].filter((line) => line !== '').join('\n'),
  )
  const text = `${about.join('\n\n')}\n\nYou are told once. How all feeds are is shown in the studio:\n${config.web.url.replace(/\/+$/, '')}/studio\n`
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: config.relay.returnPath ?? contact,
    subject,
    text,
    date: clock.now(),
  })
}

const inShort: Record<Health['state'], string> = {
  failing: 'fails',
  silent: 'fell silent',
  gone: 'is gone',
  new: 'is new',
  ok: 'works',
}

function lastSuccess({ succeededAt }: FeedRow): string {
  return succeededAt === null ? 'It was never read.' : `It was last read on ${succeededAt}.`
}
