import { type Context, Hono } from 'hono'
import { ignoreFeed, releaseFeed } from '../editions/storm-decision.ts'
import { AppError } from '../errors.ts'
import { heldFeeds } from '../store/stories.ts'
import { type Env, idIn, readForm, type Web } from './answer.ts'
import { ownForm } from './session.ts'
import { pathTo, urls } from './urls.ts'
import { counted } from './words.ts'

/** What an editor decides about articles that a feed showed all at once. */
export function feedActions(web: Web): Hono<Env> {
  return new Hono<Env>().post(urls.feedDecision, ownForm(web), (context) => decide(web, context))
}

async function decide({ app, base }: Web, context: Context<Env>): Promise<Response> {
  const id = idIn(context, 'feed')
  const feed = (await heldFeeds(app.db)).find((one) => one.id === id)
  if (!feed) throw new AppError('conflict', 'nothing of this feed waits any more: somebody has decided already')
  const { decision } = await readForm(context)
  if (decision !== 'release' && decision !== 'ignore')
    throw new AppError('invalid', 'please say whether the articles are new or old')
  const who = context.var.session?.staff ?? ''
  const count = await (decision === 'release' ? releaseFeed : ignoreFeed)(app, feed.url, who)
  app.log.info({ feed: feed.url, decision, count, who }, 'an editor decided about a feed')
  return context.redirect(`${base}${urls.studio}?decided=${id}`, 303)
}

/** The feeds whose articles wait for an editor, with what happened in words. */
export async function waitingFeeds({ app, base }: Web) {
  const feeds = Map.groupBy(await heldFeeds(app.db), (feed) => feed.id)
  return [...feeds.values()].flatMap(([feed]) => {
    if (!feed) return []
    const { id, url, title, reason, count } = feed
    const action = base + pathTo(urls.feedDecision, id)
    return [{ title: title || url, url, reason, waiting: counted(Number(count), 'article'), action }]
  })
}
