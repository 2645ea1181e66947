import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { addArticlesToLedger } from '../../src/editions/ledger.ts'
import { retractArticle } from '../../src/editions/retract.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { cancel, finishCancelled } from '../../src/editions/review/cancel.ts'
import { pause, resume } from '../../src/editions/review/pause.ts'
import { seal } from '../../src/editions/seal.ts'
import { ignoreFeed } from '../../src/editions/stories/flood-decision.ts'
import { unsealOutdated } from '../../src/editions/unseal.ts'
import { pendingArticles } from '../../src/store/articles/articles.ts'
import { freezePage } from '../../src/store/deliveries/audience.ts'
import { leaseSlice } from '../../src/store/deliveries/slices.ts'
import { markAbandoned } from '../../src/store/deliveries/unknown.ts'
import { digestMarks, lockAllDigests, lockDigest, markDecided } from '../../src/store/digests/digests.ts'
import { editionById, lockEdition } from '../../src/store/editions/editions.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { openStore } from '../../src/store/open.ts'
import type { EditionRow } from '../../src/store/schema.ts'
import { addMs, day } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { openTransaction, waitUntilDoneOrLocked } from '../support/databases/locks.ts'
import { feedHistory } from '../support/history.ts'
import { acceptedResult, workerOn } from '../support/ledger.ts'
import { frozenEdition, newsFeed, openWorld, plainRender, publishTitles, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('two processes at one moment', (freshUrl) => {
  /** A world, and what another process on the same store has. */
  async function two() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three', 'Four'])
    const other = await openStore(it.app.config.store.url, it.clock)
    closing.push(other.close)
    const ours = { ...it.app, digests: [it.digest], render: plainRender }
    return { it, ours, others: { ...ours, db: other.db, store: other } }
  }

  const pulling = { who: 'Ada', reason: 'wrong' }
  const articleOne = 'https://magazine.example/one'

  test('an article that is pulled while an edition with it is made and sealed does not stay in it', async () => {
    const { it, ours, others } = await two()
    await addArticlesToLedger(it.app, it.digest)
    const pull = await openTransaction(it.app.store, (db) => retractArticle({ ...ours, db }, articleOne, pulling))
    expect(pull.result).toEqual([]) // no edition holds it yet
    const making = (async () => {
      const edition = await compose(others, it.digest, it.clock.now())
      return await seal(others, edition?.id ?? '', it.digest)
    })()
    await waitUntilDoneOrLocked(others.store, making)
    await pull.commit()
    const { id, status } = await making
    expect(status).toBe('sealed')
    const [variant] = await variantsOf(it.app.db, id)
    expect(variant?.text).toContain('Two')
    expect(variant?.text).not.toContain('One')
  })

  test('of two decisions about one feed the second finds nothing that waits', async () => {
    const { it, ours, others } = await two()
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(10 * day)
    await publishTitles(
      it,
      newsFeed,
      Array.from({ length: 20 }, (_, index) => `All at once ${index}`),
    )
    await addArticlesToLedger(it.app, it.digest)
    const first = await openTransaction(it.app.store, (db) => ignoreFeed({ ...ours, db }, newsFeed, 'Ada'))
    const second = ignoreFeed(others, newsFeed, 'Mira').catch((error) => error)
    await waitUntilDoneOrLocked(others.store, second)
    await first.commit()
    expect([first.result, await second]).toEqual([20, expect.objectContaining({ code: 'conflict' })])
    expect(await feedHistory(it.app.db)).toHaveLength(1)
  })

  test('two editions of a digest never have one number', async () => {
    const { it, ours, others } = await two()
    await addArticlesToLedger(it.app, it.digest)
    const first = await openTransaction(it.app.store, (db) => compose({ ...ours, db }, it.digest, it.clock.now()))
    const making = compose(others, it.digest, addMs(it.clock.now(), 60_000))
    await waitUntilDoneOrLocked(others.store, making)
    await first.commit()
    expect([first.result?.number, (await making)?.number]).toEqual([1, 2])
  })

  test('a paused edition is not resumed with an article that is being pulled', async () => {
    const { it, ours, others } = await two()
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal(ours, id, it.digest)
    await approve(it.app, id, 'Ada')
    await it.app.db.updateTable('editions').set({ status: 'sending' }).execute()
    await pause(it.app, id, 'Ada', 'test')
    const pull = await openTransaction(it.app.store, (db) => retractArticle({ ...ours, db }, articleOne, pulling))
    const resuming = resume(others, id, 'Mira').catch(String)
    await waitUntilDoneOrLocked(others.store, resuming)
    await pull.commit()
    expect(await resuming).toContain('holds “One”, which was retracted')
    expect(await editionById(it.app.db, id)).toMatchObject({ status: 'paused' })
  })

  test('sealing an edition again locks its digest first, as every other process does: no deadlock', async () => {
    const { it, ours, others } = await two()
    const edition = await seal(ours, (await compose(it.app, it.digest, it.clock.now()))?.id ?? '', it.digest)
    it.clock.advance(day)
    const now = it.clock.now()
    let unsealing: Promise<boolean> | undefined
    const pull = await openTransaction(it.app.store, async (db) => {
      await lockDigest(db, 'weekly', now)
      unsealing = unsealOutdated(others, edition, it.digest)
      await waitUntilDoneOrLocked(others.store, unsealing)
      return await lockEdition(db, edition.id) // in a deadlock PostgreSQL ends one of the two (40P01)
    })
    expect(pull.result?.status).toBe('sealed')
    await pull.commit()
    expect(await unsealing).toBe(true)
  })

  test('all digests are locked in one order, whatever the order of the names: no deadlock', async () => {
    const { it, others } = await two()
    const now = it.clock.now()
    for (const name of ['alpha', 'omega']) await digestMarks(it.app.db, name, now)
    let locking: Promise<void> | undefined
    const first = await openTransaction(it.app.store, async (db) => {
      await lockDigest(db, 'alpha', now)
      locking = others.db.transaction().execute((trx) => lockAllDigests(trx, ['omega', 'alpha'], now))
      await waitUntilDoneOrLocked(others.store, locking)
      await lockAllDigests(db, ['alpha', 'omega'], now)
    })
    await first.commit()
    await locking
  })

  test('a slice that another transaction leases is passed over, and not waited for', async () => {
    const { it, others } = await two()
    await subscribe(it, 60)
    const editionId = await frozenEdition(it)
    const slices = await it.app.db.selectFrom('slices').select('firstId').orderBy('firstId').execute()
    const lease = (db: typeof it.app.db, workerId: string) =>
      leaseSlice(db, others.store.engine, { editionId, workerId, after: '' }, it.clock.now())
    const first = await openTransaction(it.app.store, (db) => lease(db, 'one'))
    const leasing = others.db.transaction().execute((db) => lease(db as typeof it.app.db, 'two'))
    expect(await waitUntilDoneOrLocked(others.store, leasing)).toBe(others.store.engine.rowLocks ? 'done' : 'waits')
    await first.commit()
    expect([first.result?.firstId, (await leasing)?.firstId]).toEqual(slices.map(({ firstId }) => firstId))
  })
})

onBothEngines('the articles of a cancelled edition', (freshUrl) => {
  /** An edition that is being sent to two people; a sender has one copy in its hands. */
  async function inHand() {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await subscribe(it, 2)
    const { db } = it.app
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    await seal({ ...it.app, render: plainRender }, id, it.digest)
    await db.updateTable('editions').set({ status: 'sending', approvedAt: it.clock.now() }).execute()
    await freezePage(db, { id, digest: 'weekly' }, { after: '', size: 10 }, it.clock.now())
    const { due, claim, record: recordResult, writer } = await workerOn(it, id, 'me')
    const subscriberId = due[0]?.subscriberId ?? ''
    await claim(subscriberId)
    const record = async (status: 'accepted' | 'queued') => {
      await recordResult({ subscriberId, ...acceptedResult, status, reply: '' })
      await writer.close()
    }
    const pending = async () => (await pendingArticles(db, 'weekly')).map(({ title }) => title).sort()
    const settle = async () => finishCancelled(it.app, (await editionById(db, id)) as EditionRow)
    return { it, id, db, record, pending, settle, cancel: () => cancel(it.app, id, 'Ada', 'test') }
  }

  test('stay in it while a copy is in the hands of a sender, and are pending again if nobody got one', async () => {
    const { record, pending, settle, cancel } = await inHand()
    await cancel()
    expect(await pending()).toEqual([])
    await record('queued') // the relay never had it
    await settle()
    expect(await pending()).toEqual(['One', 'Two'])
  })

  test('stay in it once the copy in hand was accepted', async () => {
    const { record, pending, settle, cancel } = await inHand()
    await cancel()
    await record('accepted')
    await settle()
    expect(await pending()).toEqual([])
  })

  test('stay in it while somebody may have it', async () => {
    const { it, db, pending, settle, cancel } = await inHand()
    await markAbandoned(db, 'me', it.clock.now())
    await cancel()
    expect(await pending()).toEqual([])
    await settle()
    expect(await pending()).toEqual([])
  })
})

onBothEngines('the mark up to which the runs of a digest are decided', (freshUrl) => {
  test('moves on, and never back, whatever the clock does', async () => {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    const now = it.clock.now()
    const mark = async () => (await digestMarks(it.app.db, 'weekly', now)).decidedUntil
    expect(await mark()).toBe(now)
    await markDecided(it.app.db, 'weekly', addMs(now, 1000))
    await markDecided(it.app.db, 'weekly', addMs(now, -1000))
    await markDecided(it.app.db, 'weekly', now)
    expect(await mark()).toBe(addMs(now, 1000))
  })
})
