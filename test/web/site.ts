import type { Config } from '../../src/config/config.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { addArticlesToLedger } from '../../src/editions/ledger.ts'
import { seal } from '../../src/editions/seal.ts'
import { makeSignInLink } from '../../src/pipeline/sign-in/sign-in-link.ts'
import type { EditionRow, SubscriberRow } from '../../src/store/schema.ts'
import { subscriberByEmail } from '../../src/store/subscribers/subscribers.ts'
import { webApp } from '../../src/web/server.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { linkKey } from '../support/keys.ts'
import {
  newsFeed,
  openWorld,
  opinionFeed,
  plainRender,
  publishTitles,
  subscribe,
  type World,
} from '../support/world.ts'

export const titles = ['Council opens its books', 'Trams return to the harbour', 'A library that lends tools']

const opinions = ['What the tram taught us', 'Second thoughts', 'Third thoughts, passed over']

export type Site = World & {
  edition: EditionRow
  reader: SubscriberRow
  /** The key in the links of the first reader's email. */
  key: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, body?: BodyInit, headers?: Record<string, string>): Promise<Response>
  signIn(staff?: string): Promise<Editor>
  /** All rows as text, to compare before and after. */
  rows(): Promise<string>
}

/** An editor with a session. `post` adds their CSRF token. */
export type Editor = {
  cookie: string
  csrf: string
  get(path: string): Promise<Response>
  post(path: string, fields?: Record<string, string>, headers?: Record<string, string>): Promise<Response>
  /** The hidden field `seen` (or `field`) of the page's form for this action. */
  seen(path: string, action: string, field?: string): Promise<string>
  /** Approves an edition with the revision that its page shows now. */
  approve(edition: string, headers?: Record<string, string>): Promise<Response>
}

type Options = {
  titles?: string[]
  /** A new SQLite file if absent. */
  storeUrl?: string
  config?: Partial<Config>
  job?: Record<string, string>
  /** With the real templates, which takes half a second. */
  rendered?: boolean
}

/** The pages of a world with three readers and one sealed edition. */
export async function openSite(options: Options = {}): Promise<Site> {
  const { config = {}, job = {} } = options
  const { url, remove } = options.storeUrl ? { url: options.storeUrl, remove: () => {} } : sqliteUrl()
  const world = await openWorld({ storeUrl: url, config, job })
  await publishTitles(world, newsFeed, options.titles ?? titles)
  await publishTitles(world, opinionFeed, opinions.slice(0, 2))
  await addArticlesToLedger(world.app, world.digest) // the feed is known now, so the third piece is not backlog
  await publishTitles(world, opinionFeed, opinions)
  await subscribe(world, 3)
  const needs = { ...world.app, render: options.rendered ? world.app.render : plainRender }
  const composed = await compose(needs, world.digest, world.clock.now())
  if (!composed) throw new Error('nothing composed')
  const edition = await seal(needs, composed.id, world.digest)
  const reader = await subscriberByEmail(world.app.db, 'reader00001@readers.example')
  if (!reader) throw new Error('no reader')
  const web = webApp(world.app)
  const get = async (path: string, headers = {}) => web.request(path, { headers })
  const post = async (path: string, body: BodyInit = '', headers = {}) =>
    web.request(path, { method: 'POST', body, duplex: 'half', headers: { ...typeOf(body), ...headers } } as RequestInit)
  return {
    ...world,
    edition,
    reader,
    key: linkKey(world.app.secret, { subscriberId: reader.id, editionRef: edition.ref }),
    get,
    post,
    signIn: async (staff = 'mira') => editorOf({ get, post }, await makeSignInLink(world.app, staff)),
    rows: () => rowsOf(world),
    async close() {
      await world.close()
      remove()
    },
  }
}

export async function editorOf({ get, post }: Pick<Site, 'get' | 'post'>, link: string): Promise<Editor> {
  const answer = await post(new URL(link).pathname)
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
  const studio = await (await get('/studio', { cookie })).text()
  const csrf = /name="csrf" value="([^"]+)"/.exec(studio)?.[1] ?? ''
  const editor: Editor = {
    cookie,
    csrf,
    get: (path) => get(path, { cookie }),
    post: (path, fields = {}, headers = {}) =>
      post(path, new URLSearchParams({ csrf, ...fields }), { cookie, ...headers }),
    async seen(path, action, field = 'seen') {
      const html = await (await editor.get(path)).text()
      const form = html.slice(html.indexOf(`action="${action}"`)).split('</form>')[0] ?? ''
      return new RegExp(`name="${field}" value="([^"]*)"`).exec(form)?.[1] ?? ''
    },
    async approve(edition, headers = {}) {
      const seen = await editor.seen(edition, `${edition}/approval`)
      return editor.post(`${edition}/approval`, { seen, confirm: 'yes' }, headers)
    },
  }
  return editor
}

function typeOf(body: BodyInit): Record<string, string> {
  return typeof body === 'string' ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}
}

const tables = [
  'choices',
  'corrections',
  'editions',
  'events',
  'ledger',
  'letters',
  'subscribers',
  'subscriptions',
  'deliveries',
  'outcomes',
  'confirmations',
  'outbox',
  'signInLinks',
  'sessions',
] as const

async function rowsOf({ app }: World): Promise<string> {
  const contents = await Promise.all(tables.map((table) => app.db.selectFrom(table).selectAll().execute()))
  return JSON.stringify(contents, null, 1)
}
