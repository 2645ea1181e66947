import { type Kysely, sql } from 'kysely'

/**
 * Entries that could not be articles, the addresses that articles had before, and addresses that are recognised with
 * and without `www.`, `index.html` and what a feed adds to say that it is one. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('rejections')
    .addColumn('feed_id', 'text', (c) => c.notNull().references('feeds.id'))
    .addColumn('entry', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('link', 'text', (c) => c.notNull())
    .addColumn('guid', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('first_at', 'text', (c) => c.notNull())
    .addColumn('last_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('rejections_pk', ['feed_id', 'entry'])
    .execute()

  await db.schema
    .createTable('earlier_addresses')
    .addColumn('article_id', 'text', (c) => c.notNull().references('articles.id').onDelete('cascade'))
    .addColumn('canonical', 'text', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('until', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('earlier_addresses_pk', ['article_id', 'canonical'])
    .execute()
  await db.schema.createIndex('earlier_addresses_canonical').on('earlier_addresses').column('canonical').execute()

  await foldArticles(db)
  await foldPulls(db)
}

const batch = 1000

/** The store gives the columns of what is read in camel case. */
async function foldArticles(db: Kysely<never>): Promise<void> {
  type Row = { id: string; canonical: string; asked: string | null; leadsTo: string | null }
  for (let last: string | undefined = ''; last !== undefined; ) {
    const { rows } = await sql<Row>`select id, canonical, asked, leads_to from articles
      where id > ${last} order by id limit ${batch}`.execute(db)
    for (const row of rows) {
      const [canonical, asked, leadsTo] = [fold(row.canonical), fold(row.asked), fold(row.leadsTo)]
      if (canonical === row.canonical && asked === row.asked && leadsTo === row.leadsTo) continue
      await sql`update articles set canonical = ${canonical}, asked = ${asked}, leads_to = ${leadsTo}
        where id = ${row.id}`.execute(db)
    }
    last = rows.at(-1)?.id
  }
}

/** A mark is an id, which stays as it is, or an address. Of two addresses that are one now one is pulled, the other ends. */
async function foldPulls(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ id: string; mark: string; inForce: string | null; at: string }>`
    select id, mark, in_force, at from pulls order by id`.execute(db)
  const taken = new Set(rows.map((row) => row.inForce))
  for (const { id, mark, inForce, at } of rows) {
    const folded = fold(mark)
    if (folded === mark) continue
    await sql`update pulls set mark = ${folded} where id = ${id}`.execute(db)
    if (inForce === null) continue
    if (taken.has(folded))
      await sql`update pulls set in_force = null, restored_at = ${at},
        restored_by = 'lastword, since another pull is of the same address' where id = ${id}`.execute(db)
    else await sql`update pulls set in_force = ${folded} where id = ${id}`.execute(db)
    taken.add(folded)
  }
}

/** As canonical addresses are made from now on. */
function fold<Address extends string | null>(address: Address): Address {
  if (address === null || !/^https?:/i.test(address) || !URL.canParse(address)) return address
  const url = new URL(address)
  url.hash = ''
  url.username = ''
  url.password = ''
  url.hostname = url.hostname.replace(/^(?:www|m)\.(?=[^.]+\.[^.]+)/, '')
  for (const [name, value] of [...url.searchParams])
    if (tracking.test(name) || (sources.test(name) && ofFeed.test(value))) url.searchParams.delete(name)
  url.searchParams.sort()
  url.pathname = url.pathname
    .replace(/\/{2,}/g, '/')
    .replace(/\/index\.(?:html?|php)$/i, '/')
    .replace(/(?<=.)\/$/, '')
  return url.href.replace(/\?$/, '').replace(/^http:/, 'https:') as Address
}

const tracking =
  /^(?:(?:utm|mc|at|ns|pk|mtm|hsa|itm|wt|__hs)_.*|_hs(?:enc|mi)|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|twclid|igshid|yclid|cmp|cmpid|xtor|ocid|ftag|smid|sref|ref_src|mkt_tok|_ga|_gl|feature_source)$/i
const sources = /^(?:ref|source|src|from|via|partner|emc|output)$/i
const ofFeed = /^(?:rss|atom|feed)s?(?![a-z])/i
