import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { explainError } from '../../src/cli/terminal/output.ts'
import { AppError } from '../../src/errors.ts'
import { saveArticles } from '../../src/store/articles/articles.ts'
import { addRetractions, endRetractions } from '../../src/store/articles/retractions.ts'
import { isStoreUnavailable } from '../../src/store/drivers/failure.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { quarantinedFeeds } from '../../src/store/ledger/stories.ts'
import { migrations } from '../../src/store/migrate.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import type { Schema } from '../../src/store/schema.ts'
import { addWorker } from '../../src/store/system/workers.ts'
import { fakeClock } from '../support/clock.ts'
import { onBothEngines, sqliteUrl } from '../support/databases/engines.ts'
import { inProcess } from '../support/processes.ts'
import { makeDatedArticle } from '../support/world.ts'

const clock = fakeClock()
const names = migrations.map((migration) => migration.name)
let open: Store[] = []

afterEach(async () => {
  for (const store of open) await store.close()
  open = []
})

async function opened(url: string): Promise<Store> {
  const store = await openStore(url, clock)
  open.push(store)
  return store
}

onBothEngines('a store', (freshUrl, blankUrl) => {
  test('is migrated when it is first opened, and left alone the second time', async () => {
    const url = await blankUrl()
    expect((await opened(url)).migrated).toEqual(names)
    expect((await opened(url)).migrated).toEqual([])
  })

  test('is migrated once by two processes that open it at the same moment', async () => {
    const url = await blankUrl()
    const open = `
      import { openStore } from './src/store/open.ts'
      import { systemClock } from './src/time/clock.ts'
      const store = await openStore(${JSON.stringify(url)}, systemClock)
      console.log(JSON.stringify(store.migrated))
      await store.close()`
    const migrated = await Promise.all([inProcess(open), inProcess(open), inProcess(open)])
    expect(migrated.sort()).toEqual([JSON.stringify(names), '[]', '[]'].sort())
  })

  test('of a newer program is refused, by the name of what this one does not know, and not touched', async () => {
    const url = await freshUrl()
    const { db } = await opened(url)
    await sql`insert into migrations (name, applied_at) values ('9999-from-the-future', '2030-01-01')`.execute(db)
    const refused = openStore(url, clock)
    await expect(refused).rejects.toThrow('newer than this program: it has 9999-from-the-future')
    await expect(refused).rejects.toBeInstanceOf(AppError)
  })

  test('of an earlier program recognises its articles and its pulls by the addresses of this one', async () => {
    const url = await freshUrl()
    const { db } = await opened(url)
    const [feed] = await ensureFeeds(db, ['https://feeds.example/'], clock.now())
    const known = Array.from({ length: 1500 }, (_, index) =>
      makeDatedArticle(`Article ${index}`, new Date(clock.now())),
    )
    await saveArticles(db, feed?.id ?? '', known, clock.now())
    const before = {
      canonical: 'https://www.magazine.example/index.html',
      asked: 'http://m.magazine.example//a',
      leadsTo: null,
    }
    await db.updateTable('articles').set(before).execute()
    const pull = { url: 'u', title: 't', who: 'mira', reason: 'r' }
    await addRetractions(db, ['https://www.magazine.example/c'], pull, clock.now())
    await endRetractions(db, ['https://www.magazine.example/c'], 'mira', clock.now())
    const marks = [
      'https://www.magazine.example/b',
      'https://magazine.example/b',
      'https://www.magazine.example/c',
      'an-id',
    ]
    await addRetractions(db, marks, pull, clock.now())
    for (const table of ['rejections', 'earlier_addresses']) await sql`drop table ${sql.table(table)}`.execute(db)
    await sql`delete from migrations where name = '0012-feeds-record'`.execute(db)

    expect((await opened(url)).migrated).toEqual(['0012-feeds-record'])
    const rows = await db.selectFrom('articles').select(['canonical', 'asked', 'leadsTo']).distinct().execute()
    expect(rows).toEqual([
      { canonical: 'https://magazine.example/', asked: 'https://magazine.example/a', leadsTo: null },
    ])
    const pulls = await db.selectFrom('pulls').select(['mark', 'inForce']).orderBy('id').execute()
    expect(pulls).toEqual([
      { mark: 'https://magazine.example/c', inForce: null },
      { mark: 'https://magazine.example/b', inForce: null },
      { mark: 'https://magazine.example/b', inForce: 'https://magazine.example/b' },
      { mark: 'https://magazine.example/c', inForce: 'https://magazine.example/c' },
      { mark: 'an-id', inForce: 'an-id' },
    ])
  })

  test('of an earlier program has its paused editions apart from the held ones, and its articles in quarantine', async () => {
    const url = await freshUrl()
    const { db } = await opened(url)
    await sql`alter table ledger rename column quarantined_at to held_at`.execute(db)
    await sql`alter table ledger rename column quarantine_reason to held_reason`.execute(db)
    await sql`delete from migrations where name = '0030-paused-and-quarantined'`.execute(db)
    await sql`create table history (id text, edition_id text, at text, who text, what text)`.execute(db)
    const now = clock.now()
    const rows: [string, string, string | null, string | null][] = [
      ['waits for a decision', 'held', null, null],
      ['paused in the middle', 'held', now, now],
      ['paused before its audience was frozen', 'held', now, null],
      ['paused by a program that kept no approval', 'held', null, now],
      ['being sent', 'sending', now, now],
      ['cancelled in the middle', 'cancelled', now, now],
    ]
    for (const [id, status, approvedAt, audienceAt] of rows) {
      await sql`insert into editions (id, ref, digest, due_at, status, subject, preheader, composed_at, approved_at, audience_at)
        values (${id}, ${id}, ${id}, ${now}, ${status}, '', '', ${now}, ${approvedAt}, ${audienceAt})`.execute(db)
    }
    for (const what of ['pulled: “One”: it is wrong', 'held: the lawyer', 'a pulled: line'])
      await sql`insert into history (id, edition_id, at, who, what) values (${what}, 'being sent', ${now}, 'Ada', ${what})`.execute(
        db,
      )
    const [feed] = await ensureFeeds(db, ['https://feeds.example/'], now)
    await saveArticles(db, feed?.id ?? '', [makeDatedArticle('One', new Date(now))], now)
    const { id } = await db.selectFrom('articles').select('id').executeTakeFirstOrThrow()
    await sql`insert into ledger (digest, article_id, feed_id, enrolled_at, held_at, held_reason)
      values ('weekly', ${id}, ${feed?.id}, ${now}, ${now}, 'too many')`.execute(db)

    expect((await opened(url)).migrated).toEqual(['0030-paused-and-quarantined'])
    const statuses = await db.selectFrom('editions').select(['id', 'status']).execute()
    expect(Object.fromEntries(statuses.map((one) => [one.id, one.status]))).toEqual({
      'waits for a decision': 'held',
      'paused in the middle': 'paused',
      'paused before its audience was frozen': 'paused',
      'paused by a program that kept no approval': 'paused',
      'being sent': 'sending',
      'cancelled in the middle': 'cancelled',
    })
    const lines = await sql<{ what: string }>`select what from history`.execute(db)
    expect(lines.rows.map(({ what }) => what).sort()).toEqual([
      'a pulled: line',
      'held: the lawyer',
      'retracted: “One”: it is wrong',
    ])
    expect(await quarantinedFeeds(db)).toMatchObject([{ digest: 'weekly', quarantinedAt: now, reason: 'too many' }])
  })

  test('folds addresses in its migration as it does from then on', async () => {
    const url = await freshUrl()
    const { db } = await opened(url)
    const [feed] = await ensureFeeds(db, ['https://feeds.example/'], clock.now())
    const addresses = [
      'HTTPS://WWW.Example.org:443/News/?utm_source=rss&b=2&a=1#top',
      'http://m.example.org//a//index.PHP?source=rss----1&ref=main',
      'https://user:secret@www.example/x/?fbclid=1',
      'not an address',
      '',
    ]
    await saveArticles(
      db,
      feed?.id ?? '',
      addresses.map((one, index) => ({ ...makeDatedArticle(`A ${index}`, new Date(0)), url: one })),
      clock.now(),
    )
    const canonical = await canonicals(db)
    await db
      .updateTable('articles')
      .set((eb) => ({ canonical: eb.ref('url') }))
      .execute()
    for (const table of ['rejections', 'earlier_addresses']) await sql`drop table ${sql.table(table)}`.execute(db)
    await sql`delete from migrations where name = '0012-feeds-record'`.execute(db)
    await opened(url)
    expect(await canonicals(db)).toEqual(canonical)
  })

  test('rolls back a transaction that fails, whole', async () => {
    const { db } = await opened(await freshUrl())
    const worker = { id: 'one', host: 'here', pid: 1, startedAt: clock.now(), seenAt: clock.now(), command: null }
    const failed = db.transaction().execute(async (trx) => {
      await addWorker(trx, worker)
      throw new Error('half way')
    })
    await expect(failed).rejects.toThrow('half way')
    expect(await db.selectFrom('workers').selectAll().execute()).toEqual([])
  })

  test('holds exactly the tables and columns that the schema names', async () => {
    const { db } = await opened(await freshUrl())
    const tables = (await db.introspection.getTables()).filter((table) => table.name !== 'migrations')
    const held = tables.map(({ name, columns }) => [
      camelCase(name),
      columns.map((column) => camelCase(column.name)).sort(),
    ])
    const named = Object.entries(columns).map(([name, row]) => [name, Object.keys(row).sort()])
    expect(Object.fromEntries(held)).toEqual(Object.fromEntries(named))
  })
})

test('two processes that write to one SQLite file wait for each other instead of failing', async () => {
  const { url, remove } = sqliteUrl()
  const { db } = await opened(url)
  const write = (who: string) => `
    import { openStore } from './src/store/open.ts'
    import { addWorker, allWorkers } from './src/store/system/workers.ts'
    import { systemClock } from './src/time/clock.ts'
    const { db, close } = await openStore(${JSON.stringify(url)}, systemClock)
    for (let round = 0; round < 200; round++) {
      await db.transaction().execute(async (trx) => {
        await allWorkers(trx)
        await addWorker(trx, { id: '${who} ' + round, host: '', pid: 1, startedAt: '', seenAt: '' })
      })
    }
    await close()`
  await Promise.all([inProcess(write('one')), inProcess(write('two'))])
  expect(await db.selectFrom('workers').select('id').execute()).toHaveLength(400)
  remove()
})

test('a store that cannot be opened says which, why, and what to do', async () => {
  const unreachable = openStore('postgres://lastword:secret@127.0.0.1:1/nothing', clock)
  await expect(unreachable).rejects.toThrow(
    /postgres:\/\/lastword:\*+@127\.0\.0\.1:1\/nothing cannot be opened: .*ECONNREFUSED/,
  )
  await expect(unreachable).rejects.toMatchObject({ hint: expect.stringContaining('Is the PostgreSQL server running') })

  const { url, folder, remove } = sqliteUrl()
  chmodSync(folder, 0o500)
  const path = `file:${folder}/lastword.db/inside.db`
  await opened(url)
  await expect(openStore(path, clock)).rejects.toMatchObject({ hint: expect.stringContaining('needs to write to') })
  remove()
})

test.each([
  ['p@ss#w0rd', 'a fragment begins'],
  ['p@ss/w0rd', 'a path begins'],
  ['p@ss?w0rd', 'a query begins'],
  ['p%ss@w0rd', 'an escape begins'],
])(
  'a password of PostgreSQL with %s, at which %s, is not printed, and the hint says how to write it',
  async (password) => {
    const refused = openStore(`postgres://lastword:${password}@127.0.0.1:1/nothing`, clock)
    const error = (await refused.catch((thrown: unknown) => thrown)) as AppError
    expect(error).toMatchObject({ code: 'unavailable', hint: expect.stringMatching(/%40.*%23/) })
    expect(explainError(error)).toContain('postgres://lastword:********@127.0.0.1:1/nothing')
    expect(`${explainError(error)}${error.cause ?? ''}`).not.toMatch(/p@|p%ss|ss\b|w0rd/)
  },
)

test.each(['lastword:p@ss#w0rd', 'lastword:p@ss?w0rd', 'lastword:w0rd/p@ss', 'lastword:w0rds/nothing'])(
  'an address with no host behind the password, %s, is refused without a piece of it',
  async (broken) => {
    const error = (await openStore(`postgres://${broken}`, clock).catch((thrown: unknown) => thrown)) as AppError
    expect(error.message).toContain('postgres://lastword:********')
    expect(`${explainError(error)}${error.cause ?? ''}`).not.toMatch(/p@|w0rd/)
  },
)

test('a file that is damaged, or no database, is called so, and the hint is to restore or rescue it', async () => {
  const { url, folder, remove } = sqliteUrl()
  writeFileSync(join(folder, 'lastword.db'), 'a letter to the editor, and certainly no database\n'.repeat(200))
  const refused = (await openStore(url, clock).catch((error: unknown) => error)) as AppError
  expect(refused.message).toMatch(/lastword\.db is not a database; nothing was changed$/)
  expect(refused.hint).toMatch(/restore your last backup.*\.recover/)
  expect(refused.hint).not.toContain('needs to write')
  expect(isStoreUnavailable(refused)).toBe(false)

  const whole = sqliteUrl()
  const store = await openStore(whole.url, clock)
  const rules = 'x'.repeat(3000)
  const robots = Array.from({ length: 300 }, (_, index) => ({
    origin: `https://${index}.example`,
    rules,
    fetchedAt: '',
  }))
  await store.db.insertInto('robots').values(robots).execute()
  await store.close()
  const file = join(whole.folder, 'lastword.db')
  const bytes = readFileSync(file)
  bytes.fill(0xff, bytes.length / 2)
  writeFileSync(file, bytes)
  const broken = await opened(whole.url)
  const failure = (await broken.db
    .selectFrom('robots')
    .selectAll()
    .execute()
    .catch((error: unknown) => error)) as AppError
  expect(failure.message).toMatch(/^the database file is damaged: .*malformed/)
  whole.remove()
  remove()
})

async function canonicals(db: Store['db']): Promise<string[]> {
  return (await db.selectFrom('articles').select('canonical').orderBy('id').execute()).map((row) => row.canonical)
}

/** Complete by its type: a column that the schema gains or loses does not compile until it stands here too. */
const columns: { [T in keyof Schema]: Record<keyof Schema[T], true> } = {
  letters: {
    id: true,
    digest: true,
    headline: true,
    text: true,
    textHash: true,
    name: true,
    place: true,
    receivedAt: true,
    enteredAt: true,
    enteredBy: true,
    editedAt: true,
    editedBy: true,
    version: true,
    withdrawnAt: true,
    withdrawnBy: true,
    editionId: true,
  },
  rates: { name: true, freeAt: true },
  pictures: { hash: true, type: true, bytes: true, width: true, height: true, madeAt: true },
  pictureSources: { key: true, hash: true, reason: true, fetchedAt: true },
  editionPictures: { editionId: true, hash: true },
  edits: {
    id: true,
    editionId: true,
    number: true,
    kind: true,
    target: true,
    data: true,
    who: true,
    at: true,
    undoneAt: true,
    undoneBy: true,
  },
  confirmations: {
    id: true,
    digest: true,
    subscriberId: true,
    editionId: true,
    how: true,
    askedAt: true,
    expiresAt: true,
    sentAt: true,
    usedAt: true,
  },
  rejections: {
    feedId: true,
    entry: true,
    title: true,
    link: true,
    guid: true,
    reason: true,
    firstAt: true,
    lastAt: true,
  },
  forgottenArticles: {
    feedId: true,
    identity: true,
    shared: true,
    canonical: true,
    asked: true,
    titleKey: true,
    datedAt: true,
    seenAt: true,
    forgottenAt: true,
    shownAt: true,
    reason: true,
  },
  earlierAddresses: { articleId: true, canonical: true, url: true, until: true },
  articles: {
    id: true,
    feedId: true,
    identity: true,
    url: true,
    title: true,
    summary: true,
    author: true,
    image: true,
    video: true,
    categories: true,
    publishedAt: true,
    updatedAt: true,
    seenAt: true,
    page: true,
    canonical: true,
    titleKey: true,
    textFingerprint: true,
    shownAt: true,
    place: true,
    askAt: true,
    asked: true,
    leadsTo: true,
    body: true,
    note: true,
  },
  choices: {
    editionId: true,
    articleId: true,
    letterId: true,
    section: true,
    position: true,
    reason: true,
    lastAt: true,
    saidTitle: true,
    saidUrl: true,
    saidNote: true,
    feedTitle: true,
    pageTitle: true,
    pageNote: true,
    lookedAt: true,
    missingAt: true,
  },
  corrections: {
    id: true,
    digest: true,
    editionId: true,
    articleId: true,
    kind: true,
    source: true,
    class: true,
    changeKey: true,
    found: true,
    evidence: true,
    status: true,
    proposedAt: true,
    lapsedAt: true,
    words: true,
    decidedAt: true,
    decidedBy: true,
    printedIn: true,
    undoneAt: true,
    undoneWhy: true,
    withdrawnAt: true,
    withdrawnBy: true,
    withdrawnReason: true,
  },
  allowances: { name: true, day: true, sent: true },
  brakes: { id: true, inForce: true, at: true, who: true, reason: true, releasedAt: true, releasedBy: true },
  canaries: {
    editionId: true,
    name: true,
    recipients: true,
    firstPlace: true,
    lastPlace: true,
    waitingSince: true,
    releasedAt: true,
    stoppedAt: true,
  },
  clockFaults: {
    id: true,
    digest: true,
    aheadUntil: true,
    noticedAt: true,
    reopened: true,
  },
  deliveries: {
    editionId: true,
    subscriberId: true,
    status: true,
    attempts: true,
    workerId: true,
    reply: true,
    reason: true,
    nextAttemptAt: true,
    cutSince: true,
    canary: true,
    firstOf: true,
    relay: true,
    exception: true,
    updatedAt: true,
  },
  deliveryCounts: {
    editionId: true,
    writer: true,
    queued: true,
    sending: true,
    accepted: true,
    deferred: true,
    refused: true,
    unknown: true,
    skipped: true,
  },
  outbox: {
    id: true,
    kind: true,
    key: true,
    facts: true,
    createdAt: true,
    notBefore: true,
    expiresAt: true,
    attempts: true,
    leasedUntil: true,
    sentAt: true,
    failedAt: true,
    recipient: true,
    subject: true,
    reply: true,
    reason: true,
  },
  digests: { name: true, firstSeenAt: true, decidedUntil: true },
  scheduleChanges: { digest: true, at: true, schedule: true },
  jobReaders: { id: true, folder: true, seenAt: true, rejected: true },
  editions: {
    id: true,
    ref: true,
    digest: true,
    dueAt: true,
    number: true,
    status: true,
    reason: true,
    subject: true,
    preheader: true,
    composedAt: true,
    timing: true,
    sealedAt: true,
    approvedAt: true,
    audienceAt: true,
    finishedAt: true,
    archive: true,
    datedAt: true,
    heldBy: true,
    overriddenAt: true,
    revision: true,
  },
  feeds: {
    id: true,
    url: true,
    title: true,
    siteUrl: true,
    etag: true,
    lastModified: true,
    createdAt: true,
    fetchedAt: true,
    succeededAt: true,
    failures: true,
    error: true,
    rejected: true,
    address: true,
    goneAt: true,
    nextFetchAt: true,
    ttl: true,
    failingSince: true,
    firstItemAt: true,
    newestItemAt: true,
    longestSilence: true,
    weekly: true,
    newPublisherAt: true,
    newPublisher: true,
    notOursAt: true,
    bodiesAt: true,
  },
  events: {
    id: true,
    at: true,
    actor: true,
    kind: true,
    edition: true,
    article: true,
    subscriber: true,
    feed: true,
    data: true,
  },
  ledger: {
    digest: true,
    articleId: true,
    feedId: true,
    enrolledAt: true,
    backlogReason: true,
    backlogAt: true,
    editionId: true,
    sameAs: true,
    unlike: true,
    possibleDuplicateOf: true,
    comparedAt: true,
    quarantinedAt: true,
    quarantineReason: true,
    cutAt: true,
    cutReason: true,
    lapsedIn: true,
  },
  outcomes: { id: true, kind: true, subscriberId: true, editionId: true, at: true, detail: true },
  paces: { name: true, relay: true, rate: true, reason: true, slowedAt: true, updatedAt: true },
  providers: { domain: true, provider: true, foundAt: true },
  slices: {
    editionId: true,
    firstId: true,
    lastId: true,
    dueAt: true,
    leftOpen: true,
    workerId: true,
    leaseId: true,
    version: true,
    inFlight: true,
    queued: true,
    sending: true,
    accepted: true,
    deferred: true,
    refused: true,
    unknown: true,
    skipped: true,
  },
  zoneSends: { editionId: true, zone: true, at: true },
  tasks: {
    id: true,
    kind: true,
    key: true,
    groupKey: true,
    data: true,
    notBefore: true,
    requests: true,
    attempts: true,
    workerId: true,
    error: true,
    deadAt: true,
  },
  pages: { url: true, fetchedAt: true, found: true, error: true },
  pulls: {
    id: true,
    mark: true,
    inForce: true,
    url: true,
    title: true,
    at: true,
    who: true,
    reason: true,
    restoredAt: true,
    restoredBy: true,
  },
  robots: { origin: true, fetchedAt: true, rules: true },
  sessions: { hash: true, staff: true, createdAt: true, lastUsedAt: true, expiresAt: true },
  keptForms: { id: true, sessionHash: true, staff: true, action: true, fields: true, expiresAt: true },
  sessionEnds: { id: true, staff: true, endedBy: true, at: true, sessions: true, links: true },
  settings: { name: true, value: true },
  staff: { name: true, email: true, emailKey: true, addedAt: true },
  signInLinks: { hash: true, staff: true, createdAt: true, expiresAt: true, usedAt: true },
  subscribers: {
    id: true,
    email: true,
    emailKey: true,
    name: true,
    attributes: true,
    zone: true,
    createdAt: true,
    suppressedAt: true,
    suppressedReason: true,
  },
  subscriptions: { digest: true, subscriberId: true, confirmedAt: true, leftAt: true, proof: true },
  variants: {
    id: true,
    editionId: true,
    name: true,
    head: true,
    subject: true,
    html: true,
    text: true,
    sha256: true,
    slot: true,
    sealedAt: true,
    withdrawnAt: true,
  },
  workers: { id: true, host: true, pid: true, startedAt: true, seenAt: true, command: true },
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
