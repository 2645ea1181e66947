import { type Kysely, sql } from 'kysely'
import { v7 } from 'uuid'

/**
 * One outbox for single emails instead of a mechanism for each kind. What was told stays told; what was waiting to be
 * told waits in the outbox. Skipped runs that nobody was told of are found again by their editions. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('outbox')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull().unique())
    .addColumn('facts', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('not_before', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('leased_until', 'text')
    .addColumn('sent_at', 'text')
    .addColumn('failed_at', 'text')
    .addColumn('recipient', 'text')
    .addColumn('subject', 'text')
    .addColumn('reply', 'text')
    .execute()
  await sql`create index outbox_waiting on outbox (not_before) where sent_at is null and failed_at is null`.execute(db)
  await sql`create index outbox_failed on outbox (failed_at) where failed_at is not null`.execute(db)

  await moveCalls(db)
  await moveSkipNotices(db)
  await moveFeedNotices(db)
  await moveClockNotices(db)
  await moveConfirmations(db)
}

type Mail = {
  kind: string
  key: string
  facts: object
  createdAt: string
  notBefore?: string
  expiresAt?: string
  sentAt: string | null
}

const weekMs = 7 * 24 * 60 * 60 * 1000

async function add(db: Kysely<never>, mail: Mail): Promise<void> {
  const { kind, key, facts, createdAt, sentAt } = mail
  const notBefore = mail.notBefore ?? createdAt
  const expiresAt = mail.expiresAt ?? new Date(Date.parse(createdAt) + weekMs).toISOString()
  const id = v7({ msecs: Date.parse(createdAt) })
  await sql`insert into outbox (id, kind, key, facts, created_at, not_before, expires_at, attempts, sent_at)
    values (${id}, ${kind}, ${key}, ${JSON.stringify(facts)}, ${createdAt}, ${notBefore}, ${expiresAt}, 0, ${sentAt})
    on conflict do nothing`.execute(db)
}

type Call = { id: string; edition: string; at: string; kind: string; what: string; told: string | null }

async function moveCalls(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<Call>`select id, edition_id as edition, at, kind, what, told_at as told
    from calls order by id`.execute(db)
  for (const { id, edition, at, kind, what, told } of rows)
    await add(db, { ...fromCall({ id, edition, at, kind, what, told }), createdAt: at, sentAt: told })
  await db.schema.dropTable('calls').execute()
}

function fromCall({ id, edition, at, kind, what }: Call): Pick<Mail, 'kind' | 'key' | 'facts'> {
  if (kind === 'waits') return ofEdition('edition-waiting', edition)
  if (kind === 'reminder') return ofEdition('edition-reminder', edition)
  if (kind === 'replaced')
    return { ...ofEdition('edition-replaced', edition), facts: { edition, by: Number(/\d+$/.exec(what)?.[0] ?? 0) } }
  if (kind === 'paused')
    return { kind: 'edition-paused', key: `edition-paused:${edition}:${id}`, facts: { edition, at, reason: what } }
  const [, relay = '', reason = what] =
    /^the relay (\S+) is left alone, and its messages go by the others: (.*)$/s.exec(what) ?? []
  return { kind: 'relay-failing', key: `relay-failing:${edition}:${id}`, facts: { edition, relay, at, reason } }
}

function ofEdition(kind: string, edition: string): Pick<Mail, 'kind' | 'key' | 'facts'> {
  return { kind, key: `${kind}:${edition}`, facts: { edition } }
}

async function moveSkipNotices(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ edition: string; told: string }>`select edition_id as edition, told_at as told
    from skip_notices where told_at is not null`.execute(db)
  for (const { edition, told } of rows)
    await add(db, { ...ofEdition('run-skipped', edition), createdAt: told, sentAt: told })
  await db.schema.dropTable('skip_notices').execute()
}

async function moveFeedNotices(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ feed: string; at: string; told: string }>`
    select id as feed, coalesce(fetched_at, created_at) as at, told_of as told from feeds
    where told_of is not null`.execute(db)
  for (const { feed, at, told } of rows)
    for (const trouble of told.split(' ').filter((one) => one !== '')) {
      const key = `feed-trouble:${feed}:${trouble}`
      await add(db, { kind: 'feed-trouble', key, facts: { feed, trouble }, createdAt: at, sentAt: at })
    }
  await dropColumns(db, 'feeds', ['told_of', 'telling_until'])
}

async function moveClockNotices(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<{ fault: string; at: string; told: string | null }>`
    select id as fault, noticed_at as at, told_at as told from clock_faults`.execute(db)
  for (const { fault, at, told } of rows)
    await add(db, {
      kind: 'wrong-clock',
      key: `wrong-clock:${fault}`,
      facts: { fault },
      createdAt: at,
      sentAt: told,
    })
  await dropColumns(db, 'clock_faults', ['telling_until', 'told_at'])
}

type Waiting = { confirmation: string; since: string; sending: string | null; expires: string }

async function moveConfirmations(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<Waiting>`select id as confirmation, waiting_since as since,
      sending_until as sending, expires_at as expires
    from confirmations where waiting_since is not null`.execute(db)
  for (const { confirmation, since, sending, expires } of rows)
    await add(db, {
      kind: 'confirmation',
      key: `confirmation:${confirmation}`,
      facts: { confirmation },
      createdAt: since,
      notBefore: sending ?? since,
      expiresAt: expires,
      sentAt: null,
    })
  await db.schema.dropIndex('confirmations_waiting').execute()
  await dropColumns(db, 'confirmations', ['waiting_since', 'sending_until'])
}

async function dropColumns(db: Kysely<never>, table: string, columns: string[]): Promise<void> {
  for (const column of columns) await sql`alter table ${sql.table(table)} drop column ${sql.ref(column)}`.execute(db)
}
