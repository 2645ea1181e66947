import { afterEach, describe, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { compose, composeDryRun } from '../../src/editions/compose/compose.ts'
import { explain } from '../../src/editions/explain.ts'
import { approve, approveByRule } from '../../src/editions/review/approve.ts'
import { cancel } from '../../src/editions/review/cancel.ts'
import { hold } from '../../src/editions/review/pause.ts'
import { seal } from '../../src/editions/seal.ts'
import { sealHash } from '../../src/editions/store-sealed.ts'
import { choicesOf } from '../../src/store/editions/choices.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { day } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory, inWords } from '../support/history.ts'
import {
  newsFeed,
  openWorld,
  opinionFeed,
  plainRender,
  publishTitles,
  type World,
  type WorldOptions,
} from '../support/world.ts'

let worlds: World[] = []

afterEach(async () => {
  for (const world of worlds) await world.close()
  worlds = []
})

onBothEngines('an edition', (freshUrl) => {
  async function world(options: Omit<WorldOptions, 'storeUrl'> = {}): Promise<World> {
    const made = await openWorld({ storeUrl: await freshUrl(), ...options })
    worlds.push(made)
    return made
  }

  test('holds the newest of each section, and says of every article why', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four', 'Five'])
    await publishTitles(it, opinionFeed, ['Opinion'])
    await makeSealed(it)
    it.clock.advance(7 * day)
    await publishTitles(it, newsFeed, ['Six', 'Seven', 'Eight', 'Nine', 'Ten', 'Eleven', 'Twelve'])
    const edition = await makeSealed(it)
    const choices = await choicesOf(it.app.db, edition.id)
    expect(choices.map((choice) => [choice.title, choice.position, describeReason(choice.reason)])).toEqual([
      ['Six', 1, 'newest of 7 new articles'],
      ['Seven', 2, 'number 2 of 7 new articles, newest first'],
      ['Eight', 3, 'number 3 of 7 new articles, newest first'],
      ['Nine', 4, 'number 4 of 7 new articles, newest first'],
      ['Ten', 5, 'number 5 of 7 new articles, newest first'],
      ['Eleven', null, 'the section is full: 5 newer articles come before it'],
      ['Twelve', null, 'the section is full: 5 newer articles come before it'],
    ])
  })

  test('never holds an article that an edition before it held, however new its date says it is', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await makeSealed(it)
    it.clock.advance(7 * day)
    await publishTitles(it, newsFeed, ['New', 'Newer', 'One', 'Two', 'Three']) // the feed gives old pieces new dates
    expect(await titles(it, await makeSealed(it))).toEqual(['New', 'Newer'])
  })

  test('holds an article that appears late with an old date', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await makeSealed(it)
    await publishTitles(it, newsFeed, ['Two days late', 'Two weeks late'])
    it.clock.advance(7 * day)
    expect(await titles(it, await makeSealed(it))).toEqual(['Two days late', 'Two weeks late'])
  })

  test('does not hold the backlog of a feed that is seen for the first time', async () => {
    const it = await world()
    await publishTitles(
      it,
      newsFeed,
      Array.from({ length: 50 }, (_, index) => `Piece ${index + 1}`),
    )
    expect(await titles(it, await makeSealed(it))).toEqual(['Piece 1', 'Piece 2', 'Piece 3', 'Piece 4', 'Piece 5'])
    it.clock.advance(7 * day)
    await publishTitles(it, newsFeed, [
      'Fresh one',
      'Fresh two',
      ...Array.from({ length: 50 }, (_, index) => `Piece ${index + 1}`),
    ])
    expect(await titles(it, await makeSealed(it))).toEqual(['Fresh one', 'Fresh two'])
    const [answer] = await explain(it.app.db, it.app.digests, 'https://magazine.example/piece-6')
    expect(answer?.answer).toMatch(/^in none: backlog/)
  })

  test('gives its articles back when it is cancelled, and the next one holds them', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    const edition = await makeSealed(it)
    await cancel(it.app, edition.id, 'Ada', 'wrong picture')
    it.clock.advance(day)
    expect(await titles(it, await makeSealed(it))).toEqual(['One', 'Two', 'Three'])
    expect((await editionHistory(it.app.db, edition.id)).at(-1)).toMatchObject({
      who: 'Ada',
      what: 'Cancelled: wrong picture',
    })
  })

  test('is skipped when it is thin, with the reason, and its articles stay pending', async () => {
    const it = await world({ job: { thin: '{ minimum: 3, rule: skip }' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const edition = await compose(it.app, it.digest, it.clock.now())
    expect(inWords(edition)).toMatchObject({
      status: 'skipped',
      number: null,
      reason: '2 new articles (this digest needs 3)',
    })
    it.clock.advance(7 * day)
    await publishTitles(it, newsFeed, ['Three'])
    expect(await titles(it, await makeSealed(it))).toEqual(['Three', 'One', 'Two'])
  })

  test('is held when it is thin and the rule says so, sealed, until somebody approves it', async () => {
    const it = await world({ job: { thin: '{ minimum: 3, rule: hold }' } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const edition = await makeSealed(it)
    expect(inWords(edition)).toMatchObject({ status: 'held', reason: '2 new articles (this digest needs 3)' })
    await approve(it.app, edition.id, 'Ada')
    expect(await editionById(it.app.db, edition.id)).toMatchObject({ status: 'approved', reason: null })
  })

  test('drops a section that has fewer than its minimum, and keeps its articles for the next', async () => {
    const sections = `
  - { name: latest, title: Latest, layout: latest, feeds: [${newsFeed}], maximum: 5 }
  - { name: last-word, title: Last word, layout: last-word, feeds: [${opinionFeed}], minimum: 2 }`
    const it = await world({ job: { sections } })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await publishTitles(it, opinionFeed, ['Opinion'])
    const edition = await makeSealed(it)
    expect(await titles(it, edition)).toEqual(['One', 'Two'])
    const [answer] = await explain(it.app.db, it.app.digests, 'https://magazine.example/opinion')
    expect(answer?.answer).toContain('pending: edition 1 (sealed) passed it over: the section has 1 and needs 2')
  })

  test('is made once for one due time, whoever tries', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const made = await Promise.all([1, 2, 3].map(() => compose(it.app, it.digest, it.clock.now())))
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  test('has the same id for the same due time for ever, so that a repeat from a backup bears the same Message-IDs', async () => {
    const one = await world()
    const other = await world()
    const ids = []
    for (const it of [one, other]) {
      await publishTitles(it, newsFeed, ['One', 'Two'])
      ids.push((await compose(it.app, it.digest, '2026-11-27T07:00:00.000Z'))?.id)
    }
    expect(ids[0]).toBe(ids[1])
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('takes other articles when another edition of the digest took its own before the seal', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four', 'Five'])
    const first = await compose(it.app, it.digest, '2026-11-27T07:00:00.000Z')
    const second = await compose(it.app, it.digest, '2026-11-27T08:00:00.000Z')
    await publishTitles(it, newsFeed, ['Six'])
    const sealed = [await sealIt(it, first?.id), await sealIt(it, second?.id)]
    expect(await titles(it, sealed[0])).toEqual(['One', 'Two', 'Three', 'Four', 'Five'])
    expect(await titles(it, sealed[1])).toEqual([])
    expect(inWords(sealed[1])).toMatchObject({ status: 'skipped', reason: 'no new articles (this digest needs 2)' })
  })

  test('seals the bytes under one hash, and no later wording changes them', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const edition = await makeSealed(it)
    await it.app.db.updateTable('articles').set({ title: 'Changed' }).execute()
    await sealIt(it, edition.id)
    const variants = await variantsOf(it.app.db, edition.id)
    expect(variants).toHaveLength(1)
    const [variant] = variants
    expect(variant?.text).toContain('One\nTwo')
    expect(variant && sealHash(variant)).toBe(variant?.sha256)
  })

  test('takes the newest wording of an article until the seal', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const edition = await compose(it.app, it.digest, it.clock.now())
    await it.app.db.updateTable('articles').set({ title: 'One, corrected' }).where('title', '=', 'One').execute()
    await sealIt(it, edition?.id)
    const [variant] = await variantsOf(it.app.db, edition?.id ?? '')
    expect(variant?.subject).toBe('One, corrected')
  })

  test('that an editor holds is not approved by a rule that had it in view before', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const { id } = await makeSealed(it)
    await hold(it.app, id, 'Ada', 'legal problem')
    expect(await approveByRule(it.app, id, 'rule')).toBe(false)
    expect(inWords(await editionById(it.app.db, id))).toMatchObject({ status: 'held', reason: 'legal problem' })
  })

  test('can be held and approved, but not approved when it is cancelled: the state is named', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const { id } = await makeSealed(it)
    await approve(it.app, id, 'Ada')
    await hold(it.app, id, 'Ben', 'the minister resigned')
    expect(inWords(await editionById(it.app.db, id))).toMatchObject({
      status: 'held',
      reason: 'the minister resigned',
      approvedAt: null,
    })
    await cancel(it.app, id, 'Ada', 'old news')
    await expect(approve(it.app, id, 'Ben')).rejects.toThrow(
      'weekly 1 is cancelled: only a sealed or held edition can be approved',
    )
    await expect(hold(it.app, id, 'Ben', 'why')).rejects.toThrow('weekly 1 is cancelled')
  })

  test('that is only looked at is not made: the ledger and the numbers stay as they were', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    const { draft, choices } = await composeDryRun(it.app, it.digest)
    expect(choices.filter((choice) => choice.position !== null)).toHaveLength(2)
    expect(draft.edition.number).toBe(1)
    expect(await it.app.db.selectFrom('editions').selectAll().execute()).toEqual([])
    expect(await titles(it, await makeSealed(it))).toEqual(['One', 'Two'])
  })

  test('explains an article in an edition, one pending, and one that no section wants', async () => {
    const it = await world()
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await publishTitles(it, 'https://elsewhere.example/feed', ['Elsewhere'])
    await makeSealed(it)
    await publishTitles(it, newsFeed, ['Three'])
    const ask = async (slug: string) =>
      (await explain(it.app.db, it.app.digests, `https://magazine.example/${slug}`)).map((one) => one.answer)
    expect(await ask('one')).toEqual(['in edition 1 (sealed), section latest'])
    expect(await ask('three')).toEqual([expect.stringMatching(/^pending: seen on 2026-11-27T07:00:00.000Z/)])
    expect(await ask('elsewhere')).toEqual([
      'in none: the feed https://elsewhere.example/feed is in no section of weekly',
    ])
    expect(await ask('never-seen')).toEqual([])
  })
})

describe('two digests', () => {
  test('each have a ledger of their own', async () => {
    const { sqliteUrl } = await import('../support/databases/engines.ts')
    const it = await openWorld({ storeUrl: sqliteUrl().url })
    worlds.push(it)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await makeSealed(it)
    const daily = { ...it.digest, name: 'daily' }
    const edition = await compose(it.app, daily, it.clock.now())
    expect((await choicesOf(it.app.db, edition?.id ?? '')).filter((choice) => choice.position !== null)).toHaveLength(2)
  })
})

async function makeSealed(it: World) {
  const edition = await compose(it.app, it.digest, it.clock.now())
  return await sealIt(it, edition?.id)
}

function sealIt(it: World, id: string | undefined) {
  return seal({ ...it.app, render: plainRender }, id ?? 'none', it.digest)
}

async function titles(it: World, edition: { id: string } | undefined): Promise<string[]> {
  const choices = await choicesOf(it.app.db, edition?.id ?? '')
  return choices.filter((choice) => choice.position !== null).map((choice) => choice.title)
}
