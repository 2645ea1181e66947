import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore, type Store } from '../../../src/store/open.ts'
import { keptForms, moveKeptForms, removeKeptForm, saveForm } from '../../../src/store/staff/kept-forms.ts'
import { addSession, deleteExpiredSignIns, extendSession, findSession } from '../../../src/store/staff/staff.ts'
import { addMs, hour } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'

onBothEngines('the store of sessions and kept forms', (freshUrl) => {
  const clock = fakeClock()
  const now = clock.now()
  let store: Store

  beforeEach(async () => {
    store = await openStore(await freshUrl(), clock)
  })
  afterEach(() => store.close())

  const keep = (sessionHash: string, text: string, limits = { perSession: 2, inAll: 3 }) => {
    const form = {
      sessionHash,
      staff: 'mira',
      action: '/studio/letters',
      fields: { text },
      expiresAt: addMs(now, hour),
    }
    return saveForm(store.db, form, limits, now)
  }
  const textsOf = async (session: string, at = now) =>
    (await keptForms(store.db, { hash: session, staff: 'mira' }, at)).map((one) => one.fields.text)

  test('keeps what was typed as it was, the newest of one browser and of all', async () => {
    for (const text of ['one\r\n', 'two "2" \\ é', 'th\u0000ree\ud800']) await keep('a', text)
    expect(await textsOf('a')).toEqual(['three\ufffd', 'two "2" \\ é'])
    await keep('b', 'four')
    await keep('c', 'five')
    expect([await textsOf('a'), await textsOf('b'), await textsOf('c')]).toEqual([['three\ufffd'], ['four'], ['five']])
  })

  test('hands it to the next session of the browser, and forgets what is removed or too old', async () => {
    const id = await keep('a', 'one')
    await keep('a', 'two')
    const next = { hash: 'b', staff: 'mira' }
    expect(await moveKeptForms(store.db, 'a', { ...next, staff: 'noor' }, now)).toBe(false)
    expect([await moveKeptForms(store.db, 'a', next, now), await moveKeptForms(store.db, 'a', next, now)]).toEqual([
      true,
      false,
    ])
    await removeKeptForm(store.db, { hash: 'a', staff: 'mira' }, id)
    await removeKeptForm(store.db, { ...next, staff: 'noor' }, id)
    expect(await keptForms(store.db, { ...next, staff: 'noor' }, now)).toEqual([])
    expect(await textsOf('b')).toEqual(['two', 'one'])
    await removeKeptForm(store.db, next, id)
    expect([await textsOf('b'), await textsOf('b', addMs(now, hour))]).toEqual([['two'], []])
    await deleteExpiredSignIns(store.db, addMs(now, hour))
    expect(await store.db.selectFrom('keptForms').selectAll().execute()).toEqual([])
  })

  test('moves the end of a session on, and never that of one which has ended', async () => {
    await addSession(store.db, {
      hash: 'a',
      staff: 'mira',
      createdAt: now,
      lastUsedAt: now,
      expiresAt: addMs(now, hour),
    })
    const used = (at: number) =>
      extendSession(store.db, { hash: 'a', lastUsedAt: addMs(now, at), expiresAt: addMs(now, at + hour) })
    await used(hour - 1)
    expect(await findSession(store.db, 'a', addMs(now, hour))).toMatchObject({ lastUsedAt: addMs(now, hour - 1) })
    await used(3 * hour)
    expect(await findSession(store.db, 'a', addMs(now, 3 * hour))).toBeUndefined()
  })
})
