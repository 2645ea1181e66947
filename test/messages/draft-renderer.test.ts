import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import type { Draft } from '../../src/editions/edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { draftRenderer } from '../../src/messages/draft-renderer.ts'

test('a draft holds the envelope sender of the configuration, and not the address that readers answer to', async () => {
  const publication = { name: 'H', site: 'https://h.example', contact: 'letters@h.example', address: 'Quay' }
  const digest = { ...readDigest('fixtures/jobs/minimal.yml', 'templates'), replyTo: 'desk@h.example' }
  const at = '2026-11-27T07:00:00.000Z'
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  const headWith = async (relay: object) => {
    const render = draftRenderer(configSchema.parse({ publication, relay }))
    return JSON.parse((await render({ edition, digest, sections: [], corrections: [], slot: '~' })).head)
  }
  expect(await headWith({})).toMatchObject({
    replyTo: 'desk@h.example',
    returnPath: 'letters@h.example',
    personalReturnPath: true,
  })
  expect(await headWith({ returnPath: 'automatic-bounces@post.example', personalReturnPath: false })).toMatchObject({
    returnPath: 'automatic-bounces@post.example',
    personalReturnPath: false,
  })
})

test('a template that would lose corrections or letters in silence is a problem, and only if there are any', async () => {
  const templates = mkdtempSync(join(tmpdir(), 'lastword-templates-'))
  mkdirSync(join(templates, 'email'))
  const footer = '{{#each publication.address}}{{this}} {{/each}}'
  const leave = '<a href="{{links.leave}}">Leave</a>'
  const column = `<mj-section><mj-column><mj-text>${footer} ${leave}</mj-text></mj-column></mj-section>`
  writeFileSync(join(templates, 'email/digest.mjml.hbs'), `<mjml><mj-body>${column}</mj-body></mjml>`)
  writeFileSync(join(templates, 'email/digest.txt.hbs'), `{{subject}}\n${footer}\n{{links.leave}}`)
  const halves = ['mjml.hbs: its HTML', 'txt.hbs: its text'].map((half) => join(templates, `email/digest.${half}`))
  const publication = {
    name: 'Harbour',
    site: 'https://harbour.example',
    contact: 'a@harbour.example',
    address: 'Quay',
  }
  const render = draftRenderer(configSchema.parse({ publication, relay: { host: 'localhost' }, templates }))
  const digest = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const at = '2026-11-27T07:00:00.000Z'
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  const said = {
    id: '1',
    kind: 'headline' as const,
    said: 'One',
    url: 'https://harbour.example/1',
    number: 1,
    dueAt: at,
  }
  const draft: Draft = { edition, digest, sections: [], corrections: [{ ...said, words: 'It is two.' }], slot: '~' }
  expect((await render(draft)).problems).toEqual(
    halves.map((half) => `${half} does not show the corrections: it needs {{> corrections}} before the footer`),
  )
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const letter = { id: '2', headline: 'Trams', text: 'First.\n\nSecond.', name: 'Ada Byron', place: '', version: 1 }
  const items = [{ kind: 'letter' as const, letter: { ...letter, receivedAt: at } }]
  const sections = [{ section: { ...section, layout: 'have-your-say' as const }, items }]
  expect((await render({ ...draft, corrections: [], sections })).problems).toEqual(
    halves.map((half) => `${half} does not print whole letters: its part have-your-say needs {{> letter}} for each`),
  )
  const whole = draftRenderer(configSchema.parse({ publication, relay: { host: 'localhost' } }))
  expect((await whole({ ...draft, sections })).problems).toEqual([])
  expect((await render({ ...draft, corrections: [] })).problems).toEqual([])
  rmSync(templates, { recursive: true })
})

test('a subject is never empty: it falls back to the title of the digest, and a letter is no lead', async () => {
  const publication = { name: 'H', site: 'https://h.example', contact: 'letters@h.example', address: 'Quay' }
  const base = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const at = '2026-11-27T07:00:00.000Z'
  const edition = { ...blankEdition('secret', base, at, at), number: 2 }
  const render = draftRenderer(configSchema.parse({ publication }))
  const subjectOf = async (subject: string, titles: string[] = []) => {
    const digest = { ...base, title: 'The Weekly', subject }
    const [section] = digest.sections
    const letter = { id: '1', text: 'Please.', name: 'Ada', place: '', receivedAt: at, version: 1 }
    const items = titles.map((headline) => ({ kind: 'letter' as const, letter: { ...letter, headline } }))
    const sections = section && titles.length > 0 ? [{ section, items }] : []
    return (await render({ edition, digest, sections, corrections: [], slot: '~' })).subject
  }
  expect(await subjectOf('{lead}')).toBe('The Weekly')
  expect(await subjectOf('{second}')).toBe('The Weekly')
  expect(await subjectOf('{lead} · {title} {number}')).toBe('The Weekly 2')
  expect(await subjectOf('Today: {lead}')).toBe('Today: The Weekly')
  expect(await subjectOf('{lead}', ['', 'More trams'])).toBe('The Weekly')
})
