import { describeReason } from '../../../describe/describe.ts'
import { quarantineRevision } from '../../../editions/stories/flood-decision.ts'
import { fromJson } from '../../../store/json.ts'
import { quarantinedFeeds, quarantinedStories } from '../../../store/ledger/stories.ts'
import { formatCount } from '../../../text/words.ts'
import type { Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'

/** The feeds with quarantined articles. An article that two digests read counts once. */
export async function waitingFeeds({ app, base }: Web) {
  const feeds = Map.groupBy(await quarantinedFeeds(app.db), (feed) => feed.id)
  return await Promise.all(
    [...feeds.values()]
      .flatMap(([feed]) => (feed ? [feed] : []))
      .map(async ({ id, url, title, reason }) => {
        const held = await quarantinedStories(app.db, id)
        const count = new Set(held.map((one) => one.id)).size
        const action = base + pathTo(urls.feedDecision, id)
        return {
          title: title || url,
          url,
          reason: reason === null ? '' : describeReason(reason),
          isNewPublisher: held.some(
            (one) => one.quarantineReason !== null && fromJson(one.quarantineReason).code === 'feed-changed-hands',
          ),
          waiting: formatCount(count, 'article'),
          action,
          seen: quarantineRevision(held),
        }
      }),
  )
}
