import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { hold } from '../../../src/editions/review/pause.ts'
import { seal } from '../../../src/editions/seal.ts'
import { ignoreFeed, releaseFeed } from '../../../src/editions/stories/flood-decision.ts'
import { chosenOf } from '../../../src/store/editions/choices.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { day } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { editionHistory } from '../../support/history.ts'
import { makeArticle, publishArticles, sealedEdition } from '../../support/newsroom.ts'
import { newsFeed, openWorld, plainRender, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const flood = Array.from({ length: 40 }, (_, index) => makeArticle(`Archive of ${1900 + index}`))

onBothEngines('a decision about a flood', (freshUrl) => {
  /** A world whose feed was flooded, with the edition that has no article because of that. */
  async function flooded(): Promise<{ it: World; id: string }> {
    const it = await openWorld({ storeUrl: await freshUrl(), job: { thin: '{ minimum: 2, rule: hold }' } })
    closing.push(it.close)
    await publishArticles(it, newsFeed, [makeArticle('First sight of this feed')])
    await addArticlesToLedger(it.app, it.digest)
    await sealedEdition(it)
    it.clock.advance(8 * day)
    await publishArticles(it, newsFeed, flood)
    return { it, id: (await compose(it.app, it.digest, it.clock.now()))?.id ?? '' }
  }
  const render = (it: World, id: string) => seal({ ...it.app, render: plainRender }, id, it.digest)
  const current = async ({ app }: World, id: string) => {
    const edition = await editionById(app.db, id)
    const reason = edition?.reason ? describeReason(edition.reason) : null
    return { status: edition?.status, reason, chosen: (await chosenOf(app.db, id)).length }
  }

  test('fills the edition that a rule held because of it', async () => {
    const { it, id } = await flooded()
    await render(it, id)
    expect(await current(it, id)).toMatchObject({ status: 'held', chosen: 0 })
    await releaseFeed(it.app, newsFeed, 'mira')
    expect(await current(it, id)).toEqual({ status: 'composed', reason: null, chosen: 5 })
    expect((await render(it, id)).status).toBe('sealed')
    expect((await editionHistory(it.app.db, id)).map(({ what }) => what)).toContainEqual(
      expect.stringContaining('5 articles'),
    )
  })

  test('fills an edition that is not sealed yet', async () => {
    const { it, id } = await flooded()
    await releaseFeed(it.app, newsFeed, 'mira')
    expect(await current(it, id)).toEqual({ status: 'composed', reason: null, chosen: 5 })
  })

  test('to ignore it keeps the edition on hold, and the reason names the flood no more', async () => {
    const { it, id } = await flooded()
    await render(it, id)
    expect((await current(it, id)).reason).toContain('wait for an editor')
    await ignoreFeed(it.app, newsFeed, 'mira')
    await render(it, id)
    const after = await current(it, id)
    expect(after).toMatchObject({ status: 'held', chosen: 0 })
    expect(after.reason).not.toContain('wait for an editor')
  })

  test('leaves an edition alone that a person holds', async () => {
    const { it, id } = await flooded()
    const { app } = it
    await render(it, id)
    await app.db.updateTable('editions').set({ status: 'sealed', reason: null }).where('id', '=', id).execute()
    await hold(app, id, 'Ada', 'wait for the picture')
    await releaseFeed(app, newsFeed, 'mira')
    expect(await current(it, id)).toMatchObject({ status: 'held', chosen: 0, reason: 'wait for the picture' })
  })
})
