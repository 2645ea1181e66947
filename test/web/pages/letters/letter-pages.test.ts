import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compose } from '../../../../src/editions/compose/compose.ts'
import { cancel } from '../../../../src/editions/review/cancel.ts'
import { seal } from '../../../../src/editions/seal.ts'
import { lettersOf } from '../../../../src/store/letters/letters.ts'
import { hour } from '../../../../src/time/clock.ts'
import { newsFeed, plainRender, publishTitles } from '../../../support/world.ts'
import { type Editor, openSite, type Site } from '../../site.ts'

const letter = {
  digest: 'weekly',
  headline: 'Trams',
  text: 'One.\r\n\r\nTwo.',
  name: 'Ada Byron',
  place: 'Leeds',
  received: '',
}

let site: Site
let editor: Editor

beforeEach(async () => {
  site = await openSite()
  editor = await site.signIn('mira')
})
afterEach(() => site.close())

const waiting = () => lettersOf(site.app.db, { state: 'waiting', limit: 9 })
const page = async (path = '/studio/letters') => (await editor.get(path)).text()

async function enter(given: Partial<typeof letter> = {}): Promise<string> {
  const answer = await editor.post('/studio/letters', { ...letter, ...given })
  expect(answer.status).toBe(303)
  return answer.headers.get('location')?.replace('/studio/letters?done=', '') ?? ''
}

async function nextEdition(): Promise<string> {
  site.clock.advance(hour)
  await publishTitles(site, newsFeed, [`News of ${site.clock.now()}`, `More of ${site.clock.now()}`])
  const needs = { ...site.app, render: plainRender }
  const composed = await compose(needs, site.digest, site.clock.now())
  return (await seal(needs, composed?.id ?? '', site.digest)).id
}

test('an editor adds a letter, sees it waiting, and finds it in the next edition as a letter', async () => {
  const id = await enter()
  const listed = await page(`/studio/letters?done=${id}`)
  for (const words of [
    '“Trams” is saved for the next edition of The Weekly.',
    '<bdi>Ada Byron</bdi>, <bdi>Leeds</bdi>',
    'Added by mira',
  ])
    expect(listed).toContain(words)
  expect(listed).toMatch(/<p dir="auto">One\.<\/p>\s*<p dir="auto">Two\.<\/p>/)
  expect(await page('/studio')).toContain('1 letter waiting')
  const edition = await nextEdition()
  expect(await page(`/studio/editions/${edition}`)).toContain('Letter from Ada Byron, Leeds')
  expect(await page('/studio')).toContain('3 articles, 1 letter')
  const printed = await page(`/studio/letters?done=${id}`)
  expect(printed).toContain('“Trams” is in The Weekly 2.')
  expect(printed).toContain('No letter is waiting.')
})

test('problems are shown beside the typed fields, and nothing is lost or saved', async () => {
  const typed = {
    ...letter,
    headline: ' ',
    text: `  A line\nand one more\n\n${'word '.repeat(900)}`,
    received: '2099-01-01',
  }
  const answer = await editor.post('/studio/letters', typed)
  expect(answer.status).toBe(400)
  const html = await answer.text()
  for (const words of [
    'Nothing was saved.',
    'The headline is missing: every letter needs one.',
    'The letter has 4,520 characters, and 4,000 are printed: shorten it by 520.',
    'The day is not a day that has been: expected one such as 2026-11-20.',
    `>\n${typed.text}</textarea>`,
    'value="Ada Byron"',
    'value="Leeds"',
    '<a href="#headline">Headline</a>',
  ])
    expect(html).toContain(words)
  expect(html.match(/aria-invalid="true"/g)).toHaveLength(3)
  const elsewhere = await editor.post('/studio/letters', { ...letter, digest: 'daily' })
  expect([elsewhere.status, await elsewhere.text()]).toEqual([400, expect.stringContaining('does not print letters')])
  expect(await waiting()).toEqual([])
})

test('a waiting letter can be changed, and a wrong change is not saved', async () => {
  const id = await enter({ received: '2026-11-20' })
  const form = await page(`/studio/letters/${id}`)
  expect(form).toContain('>\nOne.\n\nTwo.</textarea>')
  expect(form).toContain('value="2026-11-20"')
  const version = '1'
  const refused = await editor.post(`/studio/letters/${id}`, { ...letter, name: '', version })
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('The name is missing')])
  expect(await waiting()).toMatchObject([{ name: 'Ada Byron', editedBy: null }])
  const saved = await editor.post(`/studio/letters/${id}`, { ...letter, name: 'A. Byron', version })
  expect(saved.headers.get('location')).toBe(`/studio/letters?done=${id}`)
  expect(await waiting()).toMatchObject([{ name: 'A. Byron', editedBy: 'mira' }])
  const edition = await nextEdition()
  expect(await page(`/studio/letters/${id}`)).toContain('can’t be changed now')
  expect((await editor.post(`/studio/letters/${id}`, letter)).status).toBe(409)
  expect((await editor.post(`/studio/letters/${id}/withdrawal`, { confirm: 'yes' })).status).toBe(409)
  await cancel(site.app, edition, 'mira', 'wrong picture')
  expect((await editor.post(`/studio/letters/${id}`, { ...letter, name: 'Ada', version: '2' })).status).toBe(303)
})

test('a letter is withdrawn only with a ticked box, and its text is deleted', async () => {
  const id = await enter()
  expect((await editor.post(`/studio/letters/${id}/withdrawal`)).status).toBe(400)
  expect(await waiting()).toHaveLength(1)
  const answer = await editor.post(`/studio/letters/${id}/withdrawal`, { confirm: 'yes', version: '1' })
  const html = await page(answer.headers.get('location') ?? '')
  expect(html).toContain('“Trams” was withdrawn. Its text was deleted.')
  expect(html).not.toContain('Ada Byron')
  expect(await page(`/studio/letters/${id}`)).toContain('Withdrawn by mira')
  expect(await waiting()).toEqual([])
})

describe('the pages of letters', () => {
  test('change nothing for a stranger, for another site, by GET, or for an unknown letter', async () => {
    const id = await enter()
    const paths = ['/studio/letters', `/studio/letters/${id}`, `/studio/letters/${id}/withdrawal`]
    const fields = { ...letter, confirm: 'yes' }
    for (const path of paths) {
      expect((await site.post(path, new URLSearchParams(fields))).status).toBe(401)
      expect((await editor.post(path, { ...fields, csrf: 'guessed' })).status).toBe(403)
      expect((await editor.post(path, fields, { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403)
      await editor.get(path)
    }
    for (const path of paths.slice(0, 2)) expect((await site.get(path)).status).toBe(401)
    for (const wrong of ['x', '%00', '01a22b40-d980-7bc3-930f-0f5648edeb86'])
      expect((await editor.get(`/studio/letters/${wrong}`)).status).toBe(404)
    expect((await editor.get('/studio/letters?done=%00')).status).toBe(200)
    expect(await waiting()).toMatchObject([{ headline: 'Trams', editedAt: null }])
  })

  test('refuse a megabyte, and say so', async () => {
    const answer = await editor.post('/studio/letters', { ...letter, text: 'x'.repeat(1024 * 1024) })
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining('up to 64 KB at once')])
    expect(await waiting()).toEqual([])
  })

  test('say what a digest needs to print letters, if none does', async () => {
    const own = await openSite({
      job: { sections: `\n  - { name: latest, title: Latest, layout: latest, feeds: [${newsFeed}] }` },
    })
    const html = await (await (await own.signIn()).get('/studio/letters')).text()
    expect(html).toContain('have-your-say')
    expect(html).not.toContain('<textarea')
    await own.close()
  })
})
