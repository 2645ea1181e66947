import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { explain } from '../../src/editions/explain.ts'
import { denyDuplicate, possibleDuplicatesIn } from '../../src/editions/stories/possible-duplicates.ts'
import type { NewArticle } from '../../src/store/articles/article.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { day, minute } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory } from '../support/history.ts'
import { makeArticle, publishArticles, sealedEdition } from '../support/newsroom.ts'
import { openWorld, type World } from '../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const harbour = 'https://harbour.example/feed'
const valley = 'https://valley.example/feed'

onBothEngines('headlines and stories', (freshUrl) => {
  async function world(): Promise<World> {
    const it = await openWorld({
      storeUrl: await freshUrl(),
      job: {
        thin: '{ minimum: 0, rule: skip }',
        sections: `\n  - { name: all, title: All, layout: latest, feeds: ["${harbour}", "${valley}"], maximum: 20 }`,
      },
    })
    closing.push(it.close)
    for (const feed of [harbour, valley]) await publishArticles(it, feed, [makeArticle(`First sight of ${feed}`)])
    await sealedEdition(it)
    it.clock.advance(8 * day)
    return it
  }
  const piece = (it: World, title: string, id: string, summary: string, given: Partial<NewArticle> = {}) =>
    makeArticle(title, {
      identity: id,
      url: `https://${id}.example/piece`,
      summary,
      publishedAt: it.clock.now(),
      ...given,
    })

  test.each([
    ['a week', 7 * day],
    ['a week less some minutes', 7 * day - 12 * minute],
    ['a day', day],
  ])('a column is in each of five editions, %s apart, when its feed shows one at a time', async (_, apart) => {
    const it = await world()
    const topics = ['dredging', 'bus lanes', 'the old cinema', 'allotments', 'the bypass']
    for (const [number, topic] of topics.entries()) {
      await publishArticles(it, harbour, [piece(it, 'Notes from the harbour wall', `h${number}`, `About ${topic}.`)])
      expect((await sealedEdition(it)).chosen).toEqual(['Notes from the harbour wall'])
      it.clock.advance(apart)
    }
  })

  test('a column with the same standfirst each week is new each week', async () => {
    const it = await world()
    const standfirst =
      'Every Friday our correspondent looks back at what was decided in the town hall, who said what to whom, and what it will cost, with answers to the questions that readers have sent in since the last time.'
    for (const number of [1, 2, 3]) {
      await publishArticles(it, harbour, [piece(it, 'Town hall notebook from our man', `t${number}`, standfirst)])
      expect((await sealedEdition(it)).chosen).toHaveLength(1)
      it.clock.advance(7 * day)
    }
  })

  test('a column of two feeds under one headline is two pieces', async () => {
    const it = await world()
    await publishArticles(it, harbour, [
      piece(it, 'Letters to the editor of this week', 'hl', 'On dogs and on parking.'),
    ])
    await publishArticles(it, valley, [piece(it, 'Letters to the editor of this week', 'vl', 'A flood is remembered.')])
    expect((await sealedEdition(it)).chosen).toHaveLength(2)
  })

  const denials = [
    ['Minister says the airport will get a second runway before the end of the decade', 'will', 'will not'],
    ['Appeal judges find that the school was right to exclude the pupil after the fight', 'right', 'wrong'],
    ['Trade agreement between the islands and Peru is signed after nine rounds of talks', 'Peru', 'Chile'],
    ['Le préfet autorise la chasse au sanglier dans les bois communaux de la vallée haute', 'autorise', 'interdit'],
  ] as const

  test('a headline that says the opposite is another story, also in the feed that dropped the first', async () => {
    const it = await world()
    const opposite = ([title, from, to]: (typeof denials)[number]) => title.replace(from, to)
    const show = (feed: string, prefix: string, titles: string[], summary: string) =>
      publishArticles(
        it,
        feed,
        titles.map((title, index) => piece(it, title, `${prefix}${index}`, summary)),
      )
    await show(
      harbour,
      'n',
      denials.map(([title]) => title),
      'So it was announced.',
    )
    it.clock.advance(2 * day)
    await show(valley, 's', denials.map(opposite), 'It was not so.')
    expect((await sealedEdition(it)).chosen).toHaveLength(8)
    it.clock.advance(day)
    await show(harbour, 'n-later-', denials.map(opposite), 'Said today.')
    expect((await sealedEdition(it)).chosen).toHaveLength(4)
  })

  test('nearly the same text under another headline is one story, also after the edition and without the first feed', async () => {
    const it = await world()
    const text =
      'The harbour board has chosen a builder for the new breakwater. Work begins after the herring season and takes two winters. Fishermen were promised moorings in the inner basin, and the sailing club keeps its slipway, although the crane has to move to the other side.'
    await publishArticles(it, harbour, [piece(it, 'Breakwater contract awarded', 'b1', text)])
    expect((await sealedEdition(it)).chosen).toHaveLength(1)
    it.clock.advance(3 * day)
    await publishArticles(it, harbour, [piece(it, 'Other news of the harbour', 'b2', 'Quite other.')])
    const copy = { summary: `PORT ELLEN (Coast Press) – ${text}` }
    await publishArticles(it, valley, [piece(it, 'Two winters of work for harbour builders', 'b3', '', copy)])
    const { chosen, reasons } = await sealedEdition(it)
    expect(chosen).toEqual(['Other news of the harbour'])
    expect(reasons['Two winters of work for harbour builders']).toContain(
      'the same story as “Breakwater contract awarded”',
    )
  })

  test('one guid in two feeds is one story if it is unique beyond a feed, and not if it is a number', async () => {
    const it = await world()
    const unique = 'urn:uuid:6f1d2c7e-0b7a-4d5e-9c55-3d5b1f0a9e21'
    const show = (feed: string, guid: string, title: string) =>
      publishArticles(it, feed, [
        piece(it, title, guid, title, { url: `https://${title.length}.example/${feed.length}/x` }),
      ])
    await show(harbour, unique, 'The tram depot moves out of town')
    await show(valley, unique, 'New home for our trams')
    expect((await sealedEdition(it)).chosen).toHaveLength(1)
    it.clock.advance(day)
    await show(harbour, '17', 'The swimming bath is painted blue')
    await show(valley, '17', 'Budget for the choir')
    expect((await sealedEdition(it)).chosen).toHaveLength(2)
  })

  test('what is only probably one story is printed, shown to editors, and two once an editor says so', async () => {
    const it = await world()
    await publishArticles(it, harbour, [
      piece(it, 'Pilot freed after two nights in the cells of Port Ellen', 'f1', 'He is at home.'),
    ])
    it.clock.advance(2 * day)
    await publishArticles(it, valley, [piece(it, 'Pilot held after two nights in the cells of Port Ellen', 'f2', '')])
    const { id, chosen } = await sealedEdition(it)
    expect(chosen).toHaveLength(2)
    const explained = async () => (await explain(it.app.db, it.app.digests, 'https://f2.example/piece'))[0]?.answer
    const mark = 'possible duplicate of “Pilot freed after two nights in the cells of Port Ellen”'
    expect(await explained()).toContain(mark)
    const edition = (await editionById(it.app.db, id)) as EditionRow
    const marks = await possibleDuplicatesIn(it.app.db, edition)
    expect([...marks.values()].map(describeReason)).toEqual([expect.stringContaining(mark)])

    await denyDuplicate(it.app, id, [...marks.keys()][0] ?? '', 'mira')
    expect(await explained()).not.toContain('possible duplicate')
    expect((await editionHistory(it.app.db, id)).map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^“Pilot held after .*” is not a duplicate of “Pilot freed after .*”$/),
    )
    await expect(denyDuplicate(it.app, id, [...marks.keys()][0] ?? '', 'omar')).rejects.toThrow('is not marked')
    it.clock.advance(day)
    const copy = { url: 'https://f1.example/piece', identity: 'f2' } // the second moves to the address of the first
    await publishArticles(it, valley, [
      piece(it, 'Pilot held after two nights in the cells of Port Ellen', 'f2', '', copy),
    ])
    await sealedEdition(it)
    expect(await explained()).not.toContain('possible duplicate')
  })
})
