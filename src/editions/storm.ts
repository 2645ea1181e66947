import { between, day, later } from '../clock.ts'
import { isFrontPage, titleKey } from '../store/canonical.ts'
import { alike, type Story, shownTogether } from './same.ts'

export type StormRule = { known: number; times: number }

/** What has to wait for an editor: the article, and the one that it seems to be; null: none. */
export type Storm = { reason: string; held: Map<string, string | null> }

const memory = 28 * day

/**
 * Looks at what one refresh of a feed brought. More than `known` of it under addresses or titles that this feed had
 * before, or more than `times` its usual volume: something happened to the feed, and not in the world.
 */
export function stormOf(batch: Story[], known: Story[], rule: StormRule): Storm | null {
  const matches = new Map(
    batch.flatMap((story) => {
      const match = knownAs(story, known)
      return match ? [[story.id, match.id] as const] : []
    }),
  )
  const rest = batch.filter(({ id }) => !matches.has(id))
  const usual = usualVolume(batch, known)
  if (usual !== null && rest.length > rule.times * usual) {
    const reason = `${batch.length} new articles at once, where ${Math.round(usual * 10) / 10} are usual`
    return { reason, held: new Map(batch.map(({ id }) => [id, matches.get(id) ?? null])) }
  }
  if (matches.size <= rule.known) return null
  return { reason: `${matches.size} new articles at once whose address or title this feed had before`, held: matches }
}

/** The one known article with this address or this title. A title or address that several bear tells nothing. */
function knownAs(story: Story, known: Story[]): Story | undefined {
  const key = titleKey(story.title)
  const sameAddress = isFrontPage(story.canonical) ? [] : known.filter((one) => one.canonical === story.canonical)
  const before = known.filter((one) => !shownTogether(one, story))
  const sameTitle = before.filter((one) => titleKey(one.title) === key)
  return onlyOne(sameAddress) ?? onlyOne(sameTitle) ?? onlyOne(before.filter((one) => alike(one.title, story.title)))
}

function onlyOne(stories: Story[]): Story | undefined {
  const roots = stories.filter((story) => story.sameAs === null || !stories.some(({ id }) => id === story.sameAs))
  return roots.length === 1 ? roots[0] : undefined
}

/** How many are to be expected after as long as the feed was not read; null until we have known it for a week. */
function usualVolume(batch: Story[], known: Story[]): number | null {
  const now = batch[0]?.seenAt ?? ''
  const met = known.reduce((first, { seenAt }) => (seenAt < first ? seenAt : first), now)
  const start = later(now, -memory) > met ? later(now, -memory) : met
  const days = between(start, now) / day
  if (days < 7) return null
  const daily = known.filter(({ seenAt }) => seenAt > start && seenAt !== met).length / days
  const shown = known.reduce((last, { shownAt }) => (shownAt < now && shownAt > last ? shownAt : last), met)
  return Math.max(1, daily * Math.max(1, between(shown, now) / day))
}
