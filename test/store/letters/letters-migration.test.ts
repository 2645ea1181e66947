import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { explain } from '../../../src/editions/explain.ts'
import { createLetter, editLetter } from '../../../src/editions/letters/letters.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { seal } from '../../../src/editions/seal.ts'
import { activeRetractions } from '../../../src/store/articles/retractions.ts'
import { choicesOf, countChosen } from '../../../src/store/editions/choices.ts'
import { letterById, lettersOf } from '../../../src/store/letters/letters.ts'
import { migrations } from '../../../src/store/migrate.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { openWorld, plainRender, type World } from '../../support/world.ts'

const clock = fakeClock()
const before = '0029-kept-form-names-and-schedule-changes'
let worlds: World[] = []

afterEach(async () => {
  for (const world of worlds) await world.close()
  worlds = []
})

onBothEngines('a store with letters that were articles', (_, blankUrl) => {
  async function migrated(): Promise<World> {
    const storeUrl = await blankUrl()
    await openBefore(storeUrl, writeOldRows)
    const world = await openWorld({ storeUrl, clock, job: { thin: '{ minimum: 1 }' } })
    worlds.push(world)
    return world
  }

  test('has each letter under its id, with its text, its version and its state, and nothing else of it', async () => {
    const { app } = await migrated()
    expect(await lettersOf(app.db, { state: 'waiting', limit: 9 })).toEqual([
      {
        id: 'waiting',
        digest: 'weekly',
        headline: 'Waiting',
        text: 'Text of waiting.',
        name: 'Ada Byron',
        place: 'Leeds',
        receivedAt: '2026-11-20T12:00:00.000Z',
        enteredAt: '2026-11-21T09:00:00.000Z',
        enteredBy: 'mira',
        version: 3,
        editedAt: '2026-11-22T09:00:00.000Z',
        editedBy: 'omar',
        withdrawnAt: null,
        withdrawnBy: null,
        editionId: null,
        number: null,
        status: null,
      },
    ])
    const printed = await lettersOf(app.db, { digest: 'weekly', state: 'printed', limit: 9 })
    expect(printed).toMatchObject([{ id: 'printed', headline: 'Printed', number: 1, status: 'sent', version: 1 }])
    expect(await letterById(app.db, 'withdrawn')).toMatchObject({ text: '', name: '', withdrawnBy: 'mira' })
    for (const table of ['articles', 'feeds', 'ledger'] as const) {
      const column = table === 'feeds' ? 'url' : table === 'articles' ? 'title' : 'articleId'
      const rows = await app.db
        .selectFrom(table)
        .select(sql<string>`${sql.ref(column)}`.as('name'))
        .execute()
      expect([table, rows.map(({ name }) => name)]).toEqual([table, [kept[table]]])
    }
  })

  test('shows its past editions as before, and its letters are found, corrected and printed by what comes next', async () => {
    const it = await migrated()
    const { app, digest } = it
    const past = (await choicesOf(app.db, 'first')).toSorted((a, b) => (a.itemId < b.itemId ? -1 : 1))
    expect(
      past.map((one) => [one.kind, one.itemId, one.title, one.section, one.position, describeReason(one.reason)]),
    ).toEqual([
      ['article', 'news', 'News', 'latest', 1, 'number 1 of 1 pending'],
      ['letter', 'printed', 'Printed as sealed', 'have-your-say', 1, 'number 1 of 2 pending'],
      ['letter', 'waiting', 'Waiting', 'have-your-say', null, 'the section is full: 1 letters stand before it'],
    ])
    expect(past[1]).toMatchObject({ author: 'Ada Byron', place: 'Leeds', url: '', source: '', articleId: null })
    expect((await countChosen(app.db, ['first'])).get('first')).toEqual({ article: 1, letter: 1 })
    expect(await answer(it, 'printed')).toEqual([
      expect.stringMatching(/^in edition 1 \(sent\), section have-your-say; .* by mira: wrong/),
    ])
    expect(await answer(it, 'waiting')).toEqual([
      'pending: edition 1 (sent) passed it over: the section is full: 1 letters stand before it',
    ])
    expect(await answer(it, 'withdrawn')).toEqual(['in none: mira withdrew the letter on 2026-11-23T09:00:00.000Z'])
    expect([...(await activeRetractions(app.db)).keys()]).toEqual(['printed'])
    const again = { headline: 'Again', text: 'TEXT of  waiting.', name: 'Ada', place: '', received: '' }
    await expect(createLetter(app, digest, again, 'mira')).rejects.toThrow('the same letter is already waiting')
    await editLetter(app, { id: 'waiting', zone: 'UTC', version: 3 }, { ...again, headline: 'Reworded' }, 'omar')

    await app.db.updateTable('ledger').set({ editionId: null }).execute()
    const composed = await compose(app, digest, clock.now())
    const sealed = await seal({ ...app, render: plainRender }, composed?.id ?? '', digest)
    expect(await chosenTitles(it, sealed.id)).toEqual(['News', 'Reworded'])
    expect(await letterById(app.db, 'waiting')).toMatchObject({ editionId: sealed.id, version: 4 })
    await cancel(app, sealed.id, 'Ada', 'wrong picture')
    expect(await letterById(app.db, 'waiting')).toMatchObject({ editionId: null })
  })
})

const kept = { articles: 'News', feeds: 'https://magazine.example/latest.xml', ledger: 'news' }

async function answer({ app }: World, id: string): Promise<string[]> {
  return (await explain(app.db, app.digests, id)).map((one) => one.answer)
}

async function chosenTitles({ app }: World, editionId: string): Promise<string[]> {
  const choices = await choicesOf(app.db, editionId)
  return choices
    .filter(({ position }) => position !== null)
    .map(({ title }) => title)
    .sort()
}

/** Opens the store with the migrations up to 0029 alone. */
async function openBefore(url: string, write: (db: Db) => Promise<void>): Promise<void> {
  const later = migrations.splice(migrations.findIndex(({ name }) => name === before) + 1)
  try {
    const store = await openStore(url, clock)
    await write(store.db)
    await store.close()
  } finally {
    migrations.push(...later)
  }
}

async function writeOldRows(db: Db): Promise<void> {
  const at = '2026-11-20T09:00:00.000Z'
  await sql`insert into digests (name, first_seen_at, decided_until) values ('weekly', ${at}, ${at})`.execute(db)
  for (const [id, kind, url] of [
    ['feed', 'feed', kept.feeds],
    ['box', 'letterbox', 'letterbox:weekly'],
  ])
    await sql`insert into feeds (id, kind, url, title, created_at, failures, rejected)
      values (${id}, ${kind}, ${url}, '', ${at}, 0, 0)`.execute(db)
  await sql`insert into editions (id, ref, digest, due_at, number, status, subject, preheader, composed_at, sealed_at,
      approved_at, audience_at, finished_at, archive)
    values ('first', 'first', 'weekly', '2026-11-21T07:00:00.000Z', 1, 'sent', '', '', ${at}, ${at}, ${at}, ${at}, ${at}, 'on')`.execute(
    db,
  )
  await writeArticle(db, { id: 'news', feed: 'feed', title: 'News', editionId: 'first' })
  await writeLetter(db, { id: 'printed', editionId: 'first' })
  await writeLetter(db, { id: 'waiting', version: 3, editedBy: 'omar' })
  await writeLetter(db, { id: 'withdrawn', withdrawnBy: 'mira' })
  const choice = (articleId: string, section: string, position: number | null, reason: string, said: string | null) =>
    sql`insert into choices (edition_id, article_id, section, position, reason, said_title, said_url)
      values ('first', ${articleId}, ${section}, ${position}, ${reason}, ${said}, ${said === null ? null : ''})`.execute(
      db,
    )
  await choice('news', 'latest', 1, 'number 1 of 1 pending', 'News')
  await choice('printed', 'have-your-say', 1, 'number 1 of 2 pending', 'Printed as sealed')
  await choice('waiting', 'have-your-say', null, 'the section is full: 1 letters stand before it', null)
  await sql`insert into pulls (id, mark, in_force, url, title, at, who, reason)
    values ('pull', 'printed', 'printed', 'printed', 'Printed', ${at}, 'mira', 'wrong')`.execute(db)
}

type OldArticle = {
  id: string
  feed: string
  title: string
  editionId?: string
  author?: string
  backlogAt?: string | null
}

async function writeArticle(
  db: Db,
  { id, feed, title, editionId, author = '', backlogAt = null }: OldArticle,
): Promise<void> {
  const [published, seen] = ['2026-11-20T12:00:00.000Z', '2026-11-21T09:00:00.000Z']
  const kind = feed === 'box' ? 'letter' : 'article'
  const url = kind === 'letter' ? '' : `https://magazine.example/${id}`
  await sql`insert into articles (id, kind, feed_id, identity, url, title, summary, author, categories, published_at,
      seen_at, canonical, title_key, shown_at, place, note)
    values (${id}, ${kind}, ${feed}, ${id}, ${url}, ${title}, '', ${author}, '[]', ${published}, ${seen}, ${url}, '', ${seen}, 0, '')`.execute(
    db,
  )
  await sql`insert into ledger (digest, article_id, feed_id, enrolled_at, compared_at, backlog_at, edition_id)
    values ('weekly', ${id}, ${feed}, ${seen}, ${seen}, ${backlogAt}, ${editionId ?? null})`.execute(db)
}

type OldLetter = { id: string; editionId?: string; version?: number; editedBy?: string; withdrawnBy?: string }

async function writeLetter(db: Db, { id, editionId, version = 1, editedBy, withdrawnBy }: OldLetter): Promise<void> {
  const title = id.replace(/^./, (first) => first.toUpperCase())
  const withdrawnAt = withdrawnBy === undefined ? null : '2026-11-23T09:00:00.000Z'
  const isErased = withdrawnAt !== null
  const author = isErased ? '' : 'Ada Byron'
  await writeArticle(db, { id, feed: 'box', title, author, backlogAt: withdrawnAt, ...(editionId && { editionId }) })
  const text = isErased ? '' : `Text of ${id}.`
  const hash = isErased ? '' : hashes[id]
  await sql`insert into letters (article_id, text, place, entered_by, edited_at, edited_by, withdrawn_at, withdrawn_by,
      version, text_hash)
    values (${id}, ${text}, ${isErased ? '' : 'Leeds'}, 'mira', ${editedBy ? '2026-11-22T09:00:00.000Z' : null},
      ${editedBy ?? null}, ${withdrawnAt}, ${withdrawnBy ?? null}, ${version}, ${hash})`.execute(db)
}

/** SHA-256 of "text of printed." and "text of waiting.". */
const hashes: Record<string, string> = {
  printed: '050b39ade46cf43107519c9ef503c6ac2ff0188d702db25568f2de040ae41fd8',
  waiting: '019c32c0bc84e27f54bdede94dd0e8526fba4cd78c0936a2373b187b2cdec6a4',
}
