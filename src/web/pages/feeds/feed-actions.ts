import { type Context, Hono } from 'hono'
import { describeActor, describeEvent } from '../../../describe/describe.ts'
import { ignoreFeed, releaseFeed } from '../../../editions/stories/flood-decision.ts'
import { AppError } from '../../../errors.ts'
import { type PastEvent, person } from '../../../store/events/event.ts'
import { newestFeedEvents } from '../../../store/events/events.ts'
import { quarantinedFeeds } from '../../../store/ledger/stories.ts'
import { requireOwnForm } from '../../csrf.ts'
import { sentence, statusOf } from '../../failure.ts'
import { type Env, idParam, readForm, staffOf, type Web } from '../../response.ts'
import { urls } from '../../urls.ts'
import { showStudio } from '../studio/home.ts'

/** An editor's decision about the quarantined articles of a feed. */
export function feedActions(web: Web): Hono<Env> {
  return new Hono<Env>().post(urls.feedDecision, requireOwnForm(web), (context) => decide(web, context))
}

async function decide(web: Web, context: Context<Env>): Promise<Response> {
  const id = idParam(context, 'feed')
  const who = staffOf(context)
  const { decision, seen = '' } = await readForm(context)
  if (decision !== 'release' && decision !== 'ignore')
    throw new AppError('invalid', 'please choose: ignore these articles, or treat them as new')
  try {
    await decideOnce(web, { id, who, decision, seen })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict') throw error
    return await showStudio(web, context, { alert: sentence(error.message) }, statusOf(error))
  }
  return context.redirect(`${web.base}${urls.studio}?decided=${id}`, 303)
}

type Decision = { id: string; who: string; decision: 'release' | 'ignore'; seen: string }

/** A second press of the same button is done already. */
function isSameDecision(event: PastEvent, decision: Decision['decision']): boolean {
  return event.kind === 'feed.articles_decided' && event.data.ignored > 0 === (decision === 'ignore')
}

async function decideOnce({ app }: Web, { id, who, decision, seen }: Decision): Promise<void> {
  const feed = (await quarantinedFeeds(app.db)).find((one) => one.id === id)
  if (feed) {
    const count = await (decision === 'release' ? releaseFeed : ignoreFeed)(app, feed.url, who, seen)
    app.log.info({ event: 'feed.decided', feed: feed.url, decision, count, who }, 'quarantined articles decided')
    return
  }
  const [last] = await newestFeedEvents(app.db, [id], 1)
  if (last?.actor === person(who) && isSameDecision(last, decision)) return
  const happened = last && `: ${describeActor(last.actor)}: ${describeEvent(last)}`
  throw new AppError('conflict', `nothing of this feed is waiting any more${happened ?? ''}`)
}
