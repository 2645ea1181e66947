import { describeReason } from '../../src/describe/describe.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { seal } from '../../src/editions/seal.ts'
import { refreshNow } from '../../src/pipeline/refresh-feeds.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { day } from '../../src/time/clock.ts'
import { fakeClock } from './clock.ts'
import { type Answer, startFeedHost } from './feeds.ts'
import { openWorld, plainRender, type World } from './world.ts'

/** One entry of a feed; what is absent is not written. */
export type Item = { title: string; link?: string; guid?: string; date?: string; text?: string }

export type Channel = { title?: string; site?: string }

/** RSS with these entries. */
export function weekFeed(items: Item[], { title = 'The Quay', site = 'https://quay.example/' }: Channel = {}): string {
  const tag = (name: string, value: string | undefined) =>
    value === undefined ? '' : `<${name}>${value.replaceAll('&', '&amp;')}</${name}>`
  const entries = items.map(
    (one) =>
      `<item>${tag('title', one.title)}${tag('link', one.link)}${tag('guid', one.guid)}${tag('pubDate', one.date && new Date(one.date).toUTCString())}${tag('description', one.text)}</item>`,
  )
  return `<rss version="2.0"><channel>${tag('title', title)}${tag('link', site)}${entries.join('\n')}</channel></rss>`
}

/** A real feed server, a real store and one digest of that feed, for living through several weeks. */
export async function openWeeks(storeUrl: string) {
  const host = await startFeedHost()
  const url = `${host.url}/feed.xml`
  const clock = fakeClock('2026-11-27T12:00:00.000Z')
  const it = await openWorld({
    storeUrl,
    clock,
    feeds: { allow: [`127.0.0.1:${host.port}`] },
    job: {
      thin: '{ minimum: 1, rule: skip }',
      sections: `\n  - { name: latest, title: Latest, layout: latest, feeds: ["${url}"], maximum: 12 }`,
    },
  })
  const show = (answer: Answer | string) => host.answer('/feed.xml', answer)
  return {
    it,
    host,
    url,
    show,
    /** Fetches the feed now. */
    fetch: () => refreshNow(it.app, [url]),
    /** Fetches the feed, then makes and seals the edition of now; the titles in it, sorted, and the reasons of the others. */
    edition: () => editionNow(it, url),
    advance: (days: number) => clock.advance(days * day),
    async close() {
      await it.close()
      await host.close()
    },
  }
}

export type Weeks = Awaited<ReturnType<typeof openWeeks>>

async function editionNow(it: World, url: string) {
  await refreshNow(it.app, [url])
  const made = await compose(it.app, it.digest, it.clock.now())
  const sealed = await seal({ ...it.app, render: plainRender }, made?.id ?? '', it.digest)
  const choices = await choicesOf(it.app.db, sealed.id)
  const chosen = choices.filter(({ position }) => position !== null).map(({ title }) => title)
  const reasons = Object.fromEntries(
    choices.filter(({ position }) => position === null).map(({ title, reason }) => [title, describeReason(reason)]),
  )
  return { status: sealed.status, chosen: chosen.sort(), reasons }
}
