import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { approve } from '../../../../src/editions/review/approve.ts'
import { choicesOf, chosenOf } from '../../../../src/store/editions/choices.ts'
import { editionById } from '../../../../src/store/editions/editions.ts'
import { editsOf } from '../../../../src/store/editions/edits.ts'
import { fromJson } from '../../../../src/store/json.ts'
import { editionHistory } from '../../../support/history.ts'
import { plainRender } from '../../../support/world.ts'
import { type Editor, openSite, type Site } from '../../site.ts'

let site: Site
let mira: Editor
let ben: Editor

beforeEach(async () => {
  site = await openSite({ job: { approval: 'required' } })
  mira = await site.signIn('mira')
  ben = await site.signIn('Ben')
})
afterEach(() => site.close())

const page = () => `/studio/editions/${site.edition.id}`
const textOf = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&#x27;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/\s+/g, ' ')
const seen = (editor = mira) => editor.seen(page(), `${page()}/edits`)
const idOf = async (title: string) =>
  (await choicesOf(site.app.db, site.edition.id)).find((one) => one.title === title)?.itemId ?? ''
const change = async (fields: Record<string, string>, editor = mira) =>
  editor.post(`${page()}/edits`, { seen: await seen(editor), ...fields })
const followed = async (answer: Response) => {
  expect(answer.status).toBe(303)
  return textOf(await (await mira.get(answer.headers.get('location') ?? '')).text())
}
const chosen = async () => (await chosenOf(site.app.db, site.edition.id)).map(({ title }) => title)
const edits = async () =>
  (await editsOf(site.app.db, site.edition.id)).map(({ kind, data }): [string, object] => [kind, fromJson(data)])

describe('an editor', () => {
  test('leaves an article out of this edition, sees who did it, and undoes it', async () => {
    const article = await idOf('Trams return to the harbour')
    expect(await followed(await change({ kind: 'drop', article }))).toContain(
      'You dropped “Trams return to the harbour”. The preview shows this change.',
    )
    expect(await chosen()).not.toContain('Trams return to the harbour')
    expect(await editionById(site.app.db, site.edition.id)).toMatchObject({ status: 'sealed', revision: 2 })
    const html = textOf(await (await mira.get(page())).text())
    for (const words of ['Changes by editors Dropped “Trams return to the harbour” You,', 'Dropped by mira'])
      expect(html).toContain(words)
    expect(textOf(await (await ben.get(page())).text())).toContain('Dropped “Trams return to the harbour” mira,')
    const undone = await mira.post(`${page()}/edits/undo`, { seen: await seen(), number: '1' })
    expect(await followed(undone)).toContain('You undid a change: dropped “Trams return to the harbour”.')
    expect(await chosen()).toContain('Trams return to the harbour')
  })

  test('sees the titles of sections, not their names', async () => {
    const [passed] = (await choicesOf(site.app.db, site.edition.id)).filter(({ position }) => position === null)
    const section = site.digest.sections.find(({ name }) => name === 'last-word')
    if (!section) throw new Error('no section')
    section.title = 'The Last Word'
    const article = passed?.itemId ?? ''
    const done = await followed(await change({ kind: 'pin', article, section: 'last-word' }))
    const pinned = `pinned “${passed?.title}” in The Last Word`
    expect(done).toContain(`You ${pinned}.`)
    const html = textOf(await (await mira.get(page())).text())
    expect(html).toContain(`Changes by editors P${pinned.slice(1)} You,`)
    expect(html).not.toContain('in last-word')
  })

  test('sees the new preview at once after removing an article', async () => {
    const title = 'Trams return to the harbour'
    const article = await idOf(title)
    const preview = async () => await (await mira.get(`${page()}/preview`)).text()
    expect(await preview()).toContain(title)
    await followed(await mira.post(`${page()}/retraction`, { article, reason: 'it is not true' }))
    expect(await editionById(site.app.db, site.edition.id)).toMatchObject({ status: 'sealed' })
    expect(await preview()).not.toContain(title)
  })

  test('leaves an article out of all editions by a tick, includes another one, and edits texts', async () => {
    await change({ kind: 'drop', article: await idOf('Council opens its books'), never: 'yes' })
    const [passed] = (await choicesOf(site.app.db, site.edition.id)).filter(
      ({ section, position }) => section === 'last-word' && position === null,
    )
    await change({ kind: 'pin', article: passed?.itemId ?? '', section: 'last-word' })
    expect(await chosen()).toContain(passed?.title)
    expect(textOf(await (await mira.get(page())).text())).toContain('Pinned: it stays in this edition.')
    const article = await idOf('A library that lends tools')
    const summary = 'A library that lends tools: what happened.'
    await change({ kind: 'reword', article, title: 'Borrow a drill', summary })
    await change({ kind: 'introduction', text: 'Dear reader,\r\n\r\nwelcome.' })
    await change({ kind: 'subject', text: 'By hand' })
    expect((await edits()).map(([kind, data]) => [kind, { ...data, headline: '' }])).toEqual([
      ['exclude', { headline: '' }],
      ['pin', { headline: '', section: 'last-word' }],
      ['reword', { headline: '', title: 'Borrow a drill' }],
      ['introduction', { text: 'Dear reader,\n\nwelcome.', headline: '' }],
      ['subject', { text: 'By hand', headline: '' }],
    ])
    const html = await (await mira.get(page())).text()
    expect(html).toContain('value="Borrow a drill"')
    expect(html).toMatch(/<textarea id="edit-introduction"[^>]*>\nDear reader,\n\nwelcome\.<\/textarea>/)
    expect(html).toContain('value="By hand"')
  })

  test('changes it once by pressing the same button twice', async () => {
    const fields = { seen: await seen(), kind: 'drop', article: await idOf('Council opens its books') }
    expect((await mira.post(`${page()}/edits`, fields)).status).toBe(303)
    expect((await mira.post(`${page()}/edits`, fields)).status).toBe(303)
    expect(await edits()).toHaveLength(1)
  })

  test('with an out-of-date page sees what a colleague changed, keeps the typed text, and can save it then', async () => {
    const old = await seen()
    const article = await idOf('Council opens its books')
    await change({ kind: 'drop', article: await idOf('Trams return to the harbour') }, ben)
    const fields = { kind: 'reword', article, title: 'Open <books>', summary: '' }
    const answer = await mira.post(`${page()}/edits`, { seen: old, ...fields })
    const html = await answer.text()
    expect(answer.status).toBe(409)
    expect(textOf(html)).toContain(
      'Nothing was changed, because the edition changed after you looked at it. Ben changed it at 07:00: dropped “Trams return to the harbour”.',
    )
    expect(html).toContain('value="Open &lt;books&gt;"')
    const [, now = ''] = /name="seen" value="([^"]*)"/.exec(html.slice(html.indexOf('value="reword"') - 200)) ?? []
    expect((await mira.post(`${page()}/edits`, { seen: now, ...fields })).status).toBe(303)
    expect((await edits()).at(-1)).toEqual([
      'reword',
      { headline: 'Council opens its books', title: 'Open <books>', summary: '' },
    ])
  })

  test('cannot undo a change with an out-of-date page, which says what a colleague changed', async () => {
    await change({ kind: 'drop', article: await idOf('Trams return to the harbour') })
    const old = await seen()
    await change({ kind: 'subject', text: 'By hand' }, ben)
    const answer = await mira.post(`${page()}/edits/undo`, { seen: old, number: '1' })
    expect([answer.status, textOf(await answer.text())]).toEqual([
      409,
      expect.stringMatching(/Nothing was changed, because the edition changed after you looked at it\. Ben changed it/),
    ])
    expect(await chosen()).not.toContain('Trams return to the harbour')
  })

  test('sees what is wrong with the typed text, which is still there', async () => {
    const article = await idOf('Council opens its books')
    for (const [fields, words, kept] of [
      [
        { kind: 'subject', text: 'x'.repeat(151) },
        'The subject has 151 characters. Shorten it to 150.',
        `value="${'x'.repeat(151)}"`,
      ],
      [
        { kind: 'reword', article, title: ' ', summary: '"kept" <b>' },
        'The headline is empty.',
        '&quot;kept&quot; &lt;b&gt;</textarea>',
      ],
      [
        { kind: 'introduction', text: `<i>${'y'.repeat(4000)}` },
        'Shorten it to 4000.',
        `&lt;i&gt;${'y'.repeat(4000)}</textarea>`,
      ],
      [{ kind: 'explode', article }, '“explode” is no change that can be made.', ''],
      [{ kind: 'pin', article, section: 'sport' }, 'Choose one of these sections', ''],
    ] as const) {
      const answer = await change(fields)
      const html = await answer.text()
      expect([answer.status, textOf(html)]).toEqual([400, expect.stringContaining(words)])
      expect(html).toContain(kept)
    }
    for (const article of ['', 'x', '../..', site.edition.id])
      expect((await change({ kind: 'drop', article })).status).toBe(404)
    expect(await edits()).toEqual([])
  })

  test('cannot change an approved edition: there is no form, and the answer says what to do', async () => {
    const fields = { seen: await seen(), kind: 'subject', text: 'By hand' }
    await approve(site.app, site.edition.id, 'Ben', { anyway: true })
    expect(await (await mira.get(page())).text()).not.toContain(`action="${page()}/edits"`)
    const answer = await mira.post(`${page()}/edits`, fields)
    expect([answer.status, textOf(await answer.text())]).toEqual([
      409,
      expect.stringContaining('Put it on hold first, which withdraws the approval.'),
    ])
    expect(await edits()).toEqual([])
  })

  test('needs a session, the token of the form and the revision of the page', async () => {
    const before = await site.rows()
    const fields = { kind: 'subject', text: 'By hand' }
    expect((await site.post(`${page()}/edits`, new URLSearchParams(fields))).status).not.toBe(303)
    const foreign = await mira.post(`${page()}/edits`, { ...fields, seen: await seen(), csrf: 'x' })
    expect(foreign.status).toBe(403)
    const blind = await mira.post(`${page()}/edits`, fields)
    expect([blind.status, textOf(await blind.text())]).toEqual([
      409,
      expect.stringContaining('Your page was out of date.'),
    ])
    for (const path of ['edits', 'edits/undo']) expect((await mira.get(`${page()}/${path}`)).status).toBe(404)
    expect([await site.rows(), await edits()]).toEqual([before, []])
  })
})

describe('after an edit', () => {
  const preview = async () => await (await mira.get(`${page()}/preview`)).text()
  const statusNow = async () => (await editionById(site.app.db, site.edition.id))?.status

  test('the page shows the new preview at once, and says so; after an undo too', async () => {
    const answer = await change({ kind: 'drop', article: await idOf('Trams return to the harbour') })
    expect([await statusNow(), (await preview()).includes('Trams return')]).toEqual(['sealed', false])
    expect(await followed(answer)).toContain(
      'You dropped “Trams return to the harbour”. The preview shows this change.',
    )
    const undone = await mira.post(`${page()}/edits/undo`, { seen: await seen(), number: '1' })
    expect((await preview()).includes('Trams return')).toBe(true)
    expect(await followed(undone)).toContain('The preview shows this change.')
  })

  test('an email that cannot be made leaves the change, and the page says why', async () => {
    site.app.render = async (draft) => ({ ...(await plainRender(draft)), problems: ['no such part: footer'] })
    const text = await followed(await change({ kind: 'subject', text: 'By hand' }))
    expect(text).toContain('This edition could not be made ready: the template "digest" cannot be used')
    expect(text).not.toContain('The preview shows')
    expect([await statusNow(), await edits()]).toEqual(['composed', [['subject', expect.anything()]]])
  })
})

test('what editors changed is in the history of the edition, by name', async () => {
  await change({ kind: 'subject', text: 'By hand' })
  const lines = (await editionHistory(site.app.db, site.edition.id)).map(({ who, what }) => `${who}: ${what}`)
  expect(lines).toContain('mira: Wrote the subject: “By hand”')
  expect(textOf(await (await ben.get(page())).text())).toContain('Wrote the subject: “By hand”mira,')
  expect((await editionById(site.app.db, site.edition.id))?.status).toBe('sealed')
})
