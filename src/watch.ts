import type { App } from './app.ts'
import { later, minute } from './clock.ts'
import { envelopeSender } from './config.ts'
import type { Relay } from './deliveries/relay.ts'
import { feedsListed } from './editions/digest.ts'
import { type Health, type Watched, watchedFeeds } from './feeds/health.ts'
import { noticeMail } from './messages/notice.ts'
import { claimTelling, noteFeed, recordTold, toldOf } from './store/feeds.ts'
import type { FeedRow } from './store/schema.ts'

/** Who took it on to tell, and died over it, leaves it to others after this. */
const telling = 5 * minute

/** What the editors are to be told of a feed, and what they have been told of already. */
type ToTell = { feed: FeedRow; fresh: Health[]; told: string[] }

/**
 * Tells the editors, in one letter, of the feeds that fail for longer than the rule, fell silent for longer than ever,
 * are gone, or wait for them: once of each trouble, as long as it lasts. A letter that the relay does not take is tried
 * again. Returns of how many it told.
 */
export async function watchFeeds(app: App, relay: Pick<Relay, 'send'>): Promise<number> {
  const troubled: ToTell[] = []
  for (const watched of await watchedFeeds(app, app.digests.flatMap(feedsListed))) {
    const told = await stillTold(app, watched)
    const fresh = watched.matter.filter(({ state, trouble }) => trouble && !told.includes(state))
    if (fresh.length > 0 && (await take(app, watched.feed, told))) troubled.push({ feed: watched.feed, fresh, told })
  }
  if (troubled.length === 0) return 0
  const { kind, reply } = await relay.send(letterAbout(app, troubled))
  const feeds = troubled.map(({ feed }) => feed.url)
  if (kind !== 'accepted' && kind !== 'unknown' && kind !== 'refused') {
    app.log.error({ feeds, reply }, 'the editors could not be told of feeds in trouble; it is tried again')
    return 0
  }
  const done = kind === 'refused' ? `the editors could not be told (${reply})` : 'the editors were told'
  for (const { feed, fresh, told } of troubled) {
    for (const { words } of fresh) await noteFeed(app.db, feed.id, `${done}: ${words}`, app.clock.now())
    await recordTold(app.db, feed.id, [...told, ...fresh.map(({ state }) => state)])
  }
  app.log.warn({ feeds, reply }, `of feeds in trouble ${done}`)
  return troubled.length
}

/** Of what they were told of, what is still the matter. The rest is over: they are told of it again if it comes again. */
async function stillTold({ db }: App, { feed, matter }: Watched): Promise<string[]> {
  const told = toldOf(feed)
  const still = told.filter((kind) => matter.some(({ state }) => state === kind))
  if (still.length < told.length) await recordTold(db, feed.id, still)
  return still
}

function take({ db, clock }: App, feed: FeedRow, told: string[]): Promise<boolean> {
  return claimTelling(db, feed.id, told, clock.now(), later(clock.now(), telling))
}

function letterAbout({ config, clock }: App, troubled: ToTell[]) {
  const { name, contact, editors } = config.publication
  const [first] = troubled
  const what = first?.fresh[0]?.state
  const subject =
    troubled.length === 1 && first && what
      ? `${name}: the feed ${first.feed.title || first.feed.url} ${inShort[what]}`
      : `${name}: ${troubled.length} feeds are in trouble`
  const about = troubled.map(({ feed, fresh }) =>
    [feed.title, feed.url, ...fresh.map(sentence), lastSuccess(feed)].filter((line) => line !== '').join('\n'),
  )
  const text = `${about.join('\n\n')}\n\nYou are told once. How all feeds are is shown in the studio:\n${config.web.url.replace(/\/+$/, '')}/studio\n`
  return noticeMail({
    from: contact,
    to: editors ?? contact,
    returnPath: envelopeSender(config).address,
    subject,
    text,
    date: clock.now(),
  })
}

function sentence({ state, words }: Health): string {
  const toDo =
    state === 'waits' ? ' Nothing of it goes out until one of you says, in the studio, that they are new or old.' : ''
  return `It ${words}.${toDo}`
}

const inShort: Record<Health['state'], string> = {
  failing: 'fails',
  silent: 'fell silent',
  gone: 'is gone',
  waits: 'waits for you',
  new: 'is new',
  ok: 'works',
}

function lastSuccess({ succeededAt }: FeedRow): string {
  return succeededAt === null ? 'It was never read.' : `It was last read on ${succeededAt}.`
}
