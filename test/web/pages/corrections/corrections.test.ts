import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compose } from '../../../../src/editions/compose/compose.ts'
import { acceptCorrection, reopenCorrection, withdrawCorrection } from '../../../../src/editions/corrections/decide.ts'
import { detectInFeeds } from '../../../../src/editions/corrections/detect.ts'
import { approve } from '../../../../src/editions/review/approve.ts'
import { seal } from '../../../../src/editions/seal.ts'
import { sealHash } from '../../../../src/editions/store-sealed.ts'
import { withoutKey } from '../../../../src/messages/message-template.ts'
import { correctionById, latestCorrections, waitingCorrections } from '../../../../src/store/corrections/corrections.ts'
import { moveEdition } from '../../../../src/store/editions/editions.ts'
import { variantsOf } from '../../../../src/store/editions/variants.ts'
import { hour } from '../../../../src/time/clock.ts'
import { plainRender } from '../../../support/world.ts'
import { openSite, type Site, titles } from '../../site.ts'

let site: Site
let id: string
let action: string

/** A sent edition, and one of its headlines changed since. */
beforeEach(async () => {
  site = await openSite()
  await approve(site.app, site.edition.id, 'mira')
  await retitle(titles[0] ?? '', 'Council <b>refuses</b> to open its books')
  id = (await waitingCorrections(site.app.db))[0]?.id ?? ''
  action = `/studio/corrections/${id}/decision`
})
afterEach(() => site.close())

const studioEdition = () => `/studio/editions/${site.edition.id}`
const archive = (suffix = '') => `/editions/${site.edition.id}${suffix}`
const status = async () => (await correctionById(site.app.db, id))?.status

async function retitle(was: string, title: string): Promise<void> {
  await site.app.db.updateTable('articles').set({ title }).where('title', '=', was).execute()
  await detectInFeeds(site.app, site.app.digests)
}

describe('a proposed correction', () => {
  test('is listed in the studio and on the page of its edition, as text, with a suggested correction', async () => {
    const editor = await site.signIn()
    for (const path of ['/studio', studioEdition()]) {
      const page = await (await editor.get(path)).text()
      expect(page).toContain('“Council opens its books”')
      expect(page).toContain(
        'The headline now reads: “Council &lt;b&gt;refuses&lt;/b&gt; to open its books”</textarea>',
      )
      expect(page).toContain(`action="${action}"`)
    }
    expect(await (await editor.get('/studio')).text()).toContain('1 correction to review')
  })

  test('is accepted with the editor’s words only by POST, and the next page says so', async () => {
    const editor = await site.signIn('mira')
    expect((await editor.get(action)).status).toBe(404)
    const answer = await editor.post(action, {
      decision: 'accept',
      words: ' They are \n open. ',
      from: 'edition',
      seen: await editor.seen(studioEdition(), action),
    })
    expect(answer.status).toBe(303)
    const location = answer.headers.get('location') ?? ''
    expect(location).toBe(`${studioEdition()}?corrected=${id}#corrections`)
    expect(await correctionById(site.app.db, id)).toMatchObject({
      status: 'accepted',
      words: 'They are open.',
      decidedBy: 'mira',
    })
    const words = 'accepted the correction of “Council opens its books”. It appears in the next edition'
    expect(await (await editor.get(location)).text()).toContain(`You ${words}`)
    const colleague = await site.signIn('omar')
    expect(await (await colleague.get(location)).text()).toContain(`mira ${words}`)
    expect(await (await editor.get('/studio?corrected=made-up')).text()).not.toContain('accepted the correction')
  })

  test('is dismissed and reopened, and the page says so', async () => {
    const editor = await site.signIn()
    const dismissed = await editor.post(action, {
      decision: 'dismiss',
      words: 'whatever',
      seen: await editor.seen('/studio', action),
    })
    expect(dismissed.headers.get('location')).toBe(`/studio?corrected=${id}#corrections`)
    expect(await status()).toBe('dismissed')
    const studio = await (await editor.get(dismissed.headers.get('location') ?? '')).text()
    expect(studio).toContain('You dismissed the correction of “Council opens its books”. It will not be printed.')
    expect(studio).toContain('No corrections to review.')
    const again = await editor.post(action, {
      decision: 'reopen',
      from: 'edition',
      seen: await editor.seen(studioEdition(), action),
    })
    expect(await status()).toBe('proposed')
    expect(await (await editor.get(again.headers.get('location') ?? '')).text()).toContain(
      'is waiting for a decision again',
    )
  })

  test('is decided only by an editor, from their own form', async () => {
    const editor = await site.signIn()
    const before = await site.rows()
    expect((await site.post(action, 'decision=accept&words=x')).status).toBe(401)
    expect((await editor.post(action, { decision: 'accept', words: 'x', csrf: 'guessed' })).status).toBe(403)
    expect((await editor.post(action, { decision: 'accept' }, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
    expect((await editor.post(action, { decision: 'perhaps' })).status).toBe(400)
    expect((await editor.post('/studio/corrections/none/decision', { decision: 'accept', words: 'x' })).status).toBe(
      404,
    )
    expect(await site.rows()).toBe(before)
  })

  test('is not accepted without words; too long a text is shown again', async () => {
    const editor = await site.signIn()
    const empty = await editor.post(action, { decision: 'accept', words: ' ' })
    expect([empty.status, await status()]).toEqual([400, 'proposed'])
    expect(await empty.text()).toContain('<strong>Nothing was changed.</strong> Please say what is right.')
    const long = await editor.post(action, { decision: 'accept', words: `"long" ${'x'.repeat(1000)}` })
    expect([long.status, await status()]).toEqual([400, 'proposed'])
    expect(await long.text()).toContain(`required>&quot;long&quot; ${'x'.repeat(1000)}</textarea>`)
  })

  test('is not accepted from a page that showed another change or decision', async () => {
    const editor = await site.signIn()
    const seen = await editor.seen('/studio', action)
    await site.app.db.updateTable('corrections').set({ found: 'Council closes its books' }).execute()
    const late = await editor.post(action, { decision: 'accept', words: 'They are open.', seen })
    expect([late.status, await status()]).toEqual([409, 'proposed'])
    expect(await late.text()).toContain('has changed since you looked at it')
    const fields = { decision: 'accept', words: 'They are open.', seen: await editor.seen('/studio', action) }
    expect((await editor.post(action, fields)).status).toBe(303)
    expect((await editor.post(action, fields)).status).toBe(303) // a second press
    expect(await status()).toBe('accepted')
  })

  test('mentions the same change in another newsletter, and the decision there', async () => {
    const { db } = site.app
    const [edition] = await db.selectFrom('editions').selectAll().execute()
    const [correction] = await db.selectFrom('corrections').selectAll().execute()
    const articleId = correction?.articleId ?? ''
    const choices = await db.selectFrom('choices').selectAll().where('articleId', '=', articleId).execute()
    if (!edition || !correction) throw new Error('nothing to correct')
    const twin = { id: '019335c0-0000-7000-8000-000000000010', digest: 'daily' }
    await db
      .insertInto('editions')
      .values({ ...edition, ...twin, ref: '00000010', number: 7 })
      .execute()
    await db
      .insertInto('choices')
      .values(choices.map((choice) => ({ ...choice, editionId: twin.id })))
      .execute()
    await db
      .insertInto('corrections')
      .values({ ...correction, ...twin, editionId: twin.id })
      .execute()
    const editor = await site.signIn('mira')
    const seen = await editor.seen('/studio', action)
    const answer = await editor.post(action, { decision: 'accept', words: 'They are open.', seen })
    const location = answer.headers.get('location') ?? ''
    expect(await (await editor.get(location)).text()).toContain(
      'role="status">daily 7 printed it too. The correction there is still waiting for a decision.',
    )
    await acceptCorrection(site.app, twin.id, 'omar', 'Other words.')
    expect(await (await editor.get(location)).text()).toContain(
      'role="status">daily 7 printed it too. The correction there was accepted by omar, with different wording: “Other words.”.',
    )
  })

  test('that a colleague has decided is a conflict, and the typed text is not lost', async () => {
    const editor = await site.signIn()
    await acceptCorrection(site.app, id, 'omar', 'They are open.')
    const late = await editor.post(action, { decision: 'accept', words: 'My own <words>' })
    expect(late.status).toBe(409)
    const page = await late.text()
    expect(page).toContain('is accepted by omar, for the next edition: it cannot be accepted.')
    expect(page).toContain('What you typed: My own &lt;words&gt;')
    expect((await correctionById(site.app.db, id))?.words).toBe('They are open.')
  })
})

describe('other changes', () => {
  const dismissal = '/studio/minor-corrections/dismissal'
  const second = titles[1] ?? ''
  const states = async () =>
    (await latestCorrections(site.app.db, undefined, 9)).map((one) => [one.class, one.status]).sort()

  test('are folded away behind what matters, and are not counted on the page', async () => {
    await retitle(second, `${second} for everyone`)
    const editor = await site.signIn()
    const page = await (await editor.get('/studio')).text()
    expect(page).toContain('1 correction to review')
    const [before = '', folded = ''] = page.split('<summary>Other changes (1)</summary>')
    expect([before.includes(`${second} for everyone`), folded.includes(`${second} for everyone`)]).toEqual([
      false,
      true,
    ])
    expect(before).toContain('was added') // the fact of the first one
    const edition = (await (await editor.get(studioEdition())).text()).split('<summary>Other changes (1)</summary>')
    expect(edition[1]).toContain(`${second} for everyone`)
  })

  test('are dismissed in one press, except those found since the page was shown', async () => {
    await retitle(second, `${second} for everyone`)
    const editor = await site.signIn('mira')
    const proposedBy = await editor.seen('/studio', dismissal, 'proposedBy')
    site.clock.advance(hour)
    await retitle(titles[2] ?? '', `${titles[2]} for everyone`)
    expect((await editor.post(dismissal, { proposedBy, csrf: 'guessed' })).status).toBe(403)
    const answer = await editor.post(dismissal, { proposedBy })
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/studio#corrections'])
    expect(await states()).toEqual([
      ['correction', 'proposed'],
      ['rewording', 'dismissed'],
      ['rewording', 'proposed'],
    ])
  })
})

describe('the archive', () => {
  test('has a dated note of an accepted correction above the sealed bytes, which do not change', async () => {
    const sealed = (await variantsOf(site.app.db, site.edition.id))[0]
    const bytes = withoutKey(sealed?.html ?? '', sealed?.slot ?? '')
    expect(await (await site.get(archive())).text()).toBe(bytes)
    await acceptCorrection(site.app, id, 'mira', 'They are <open>.')
    const answer = await site.get(archive())
    const page = await answer.text()
    expect(page).toMatch(/<strong><time datetime="2026-11-27T[^"]+">27 November 2026<\/time>\.<\/strong>/)
    expect(page).toContain('We wrote: “Council opens its books”. <bdi>They are &lt;open&gt;.</bdi>')
    expect(page.replace(/<aside[\s\S]*<\/aside>\n/, '')).toBe(bytes)
    expect(await (await site.get(archive('/as-sent'))).text()).toBe(bytes)
    for (const path of [archive(), archive('/as-sent')])
      expect((await site.get(path)).headers.get('content-security-policy')).toContain('sandbox')
    const [variant] = await variantsOf(site.app.db, site.edition.id)
    expect(variant).toEqual(sealed)
    expect(variant && sealHash(variant)).toBe(variant?.sha256)
    await reopenCorrection(site.app, id, 'mira')
    expect(await (await site.get(archive())).text()).toBe(bytes)
  })

  test('says when a correction was withdrawn, and why; a doubted one is not shown', async () => {
    await acceptCorrection(site.app, id, 'mira', 'They are open.')
    await retitle('Council <b>refuses</b> to open its books', titles[0] ?? '')
    expect(await status()).toBe('doubted')
    expect(await (await site.get(archive())).text()).not.toContain('They are open.')
    const studio = await (await (await site.signIn()).get('/studio')).text()
    expect(studio).toContain('but now in doubt: the headline is “Council opens its books” since')
    expect(studio).toContain('name="decision" value="accept"')
    site.clock.advance(48 * hour)
    await withdrawCorrection(site.app, id, 'mira', 'They were <closed>.')
    expect(await (await site.get(archive())).text()).toMatch(
      /27 November 2026<\/time>\.<\/strong> We wrote: .*They are open\..*29 November 2026<\/time>\.<\/strong> This correction is withdrawn: They were &lt;closed&gt;\./,
    )
  })

  test('says above both editions that a printed correction was withdrawn by an editor in the studio', async () => {
    await acceptCorrection(site.app, id, 'mira', 'They are open.')
    site.clock.advance(hour)
    const needs = { ...site.app, render: plainRender }
    const digest = { ...site.digest, thin: { ...site.digest.thin, minimum: 0 } }
    const second = await compose(needs, digest, site.clock.now())
    await seal(needs, second?.id ?? '', digest)
    const editor = await site.signIn()
    expect(await (await editor.get(studioEdition())).text()).not.toContain('value="withdraw"')
    await approve(site.app, second?.id ?? '', 'mira')
    expect(await (await editor.get(studioEdition())).text()).toContain('value="withdraw"')
    const done = await editor.post(action, { decision: 'withdraw', words: 'They were closed.', from: 'edition' })
    expect(await (await editor.get(done.headers.get('location') ?? '')).text()).toContain('withdrew the correction of')
    for (const edition of [site.edition.id, second?.id])
      expect(await (await site.get(`/editions/${edition}`)).text()).toContain('does not hold: They were closed.')
  })

  test('links to the article, unless it is gone', async () => {
    await acceptCorrection(site.app, id, 'mira', 'They are open.')
    const link = 'href="https://magazine.example/council-opens-its-books"'
    expect(await (await site.get(archive())).text()).toContain(link)
    await site.app.db.updateTable('corrections').set({ kind: 'gone' }).execute()
    expect(await (await site.get(archive())).text()).not.toContain(link)
  })

  test('shows no edition that was not sent, with or without notes', async () => {
    await moveEdition(site.app.db, site.edition.id, ['approved'], { status: 'held' })
    for (const path of [archive(), archive('/as-sent')]) expect((await site.get(path)).status).toBe(404)
  })
})
