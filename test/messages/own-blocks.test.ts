import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import type { Draft, EditedTexts } from '../../src/editions/edition.ts'
import type { OwnBlock } from '../../src/editions/edits/edit.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { toView } from '../../src/messages/edition-view.ts'
import { renderEdition } from '../../src/messages/render.ts'
import { openTemplate } from '../../src/messages/template.ts'
import type { EditionView } from '../../src/messages/view.ts'
import { readEdition, render, template } from './editions.ts'

const publication = { name: 'Harbour', site: 'https://harbour.example', contact: 'a@harbour.example', address: 'Quay' }
const config = configSchema.parse({ publication })

const block = (heading: string, before = ''): OwnBlock => ({ heading, text: '', link: null, picture: null, before })

/** A draft with the sections `news`, which is left out for having nothing, `opinion` and `letters`. */
function view(edited: EditedTexts, introduction?: string): EditionView {
  const minimal = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const section = (name: string) => ({ ...(minimal.sections[0] as Draft['digest']['sections'][number]), name })
  const sections = ['news', 'opinion', 'letters'].map(section)
  const digest = {
    ...minimal,
    sections,
    subject: '{title} {number}',
    ...(introduction !== undefined && { introduction }),
  }
  const at = '2026-11-27T07:00:00.000Z'
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  const printed = sections.slice(1).map((one) => ({ section: one, items: [] }))
  return toView({ edition, digest, sections: printed, corrections: [], slot: '~', edited }, config)
}

test('a block stands before its section, before the next one where that is left out, else after the last', () => {
  const blocks = [block('A', 'news'), block('B', 'letters'), block('C'), block('D', 'lost'), block('E', 'opinion')]
  const made = view({ editIds: [], blocks })
  const headings = (some: { heading: string }[]) => some.map(({ heading }) => heading)
  expect(made.sections.map((section) => headings(section.blocks))).toEqual([['A', 'E'], ['B']])
  expect(headings(made.blocks)).toEqual(['C', 'D'])
})

test('placeholders in an editor’s subject and preview text are filled in; an empty introduction is none', () => {
  const preheader = '{count} stories, number {number} · {second}'
  const made = view({ editIds: [], blocks: [], subject: 'On {lead} & {number}', preheader }, '')
  const { title } = made.digest
  expect([made.subject, made.preheader]).toEqual([`On ${title} & 2`, '0 stories, number 2'])
  expect(made.introduction).toEqual([])
  expect(view({ editIds: [], blocks: [], subject: '{lead} · {title}', preheader: '' }).subject).toBe(title)
  expect(view({ editIds: [], blocks: [], subject: '{second}', preheader: '' })).toMatchObject({
    subject: title,
    preheader: '',
  })
  expect(view({ editIds: [], blocks: [] }, 'One\n\nTwo').introduction).toEqual(['One', 'Two'])
})

const hostile = {
  heading: 'Come <script>alert(1)</script> & see {{leave}} <mj-raw>',
  paragraphs: ['One {{publication.name}} "quoted"', '<b>Two</b>'],
  link: { url: 'https://harbour.example/?a=1&b=<c>', text: 'Book <i>now</i>' },
  image: { url: 'https://harbour.example/p.jpg?a=1&b=2', alt: 'A "ship" <b>', width: 536, height: 302 },
}

test('what an editor wrote is escaped in the HTML and whole in the text, before a section and at the end', async () => {
  const edition = readEdition('full')
  const [first] = edition.sections
  if (!first) throw new Error('no section')
  first.blocks = [hostile]
  edition.blocks = [{ ...hostile, heading: 'The end', image: null, link: null }]
  const { html, text, problems } = await render(edition)
  expect(problems).toEqual([])
  expect(html).toContain('Come &lt;script&gt;alert(1)&lt;/script&gt; &amp; see {{leave}} &lt;mj-raw&gt;')
  expect(html).toContain('href="https://harbour.example/?a=1&amp;b=&lt;c&gt;"')
  expect(html).toContain('alt="A &quot;ship&quot; &lt;b&gt;"')
  expect(html).not.toMatch(/<script>alert|<b>Two|<i>now/)
  for (const words of [
    hostile.heading,
    ...hostile.paragraphs,
    'Book <i>now</i>: https://harbour.example/?a=1&b=<c>',
    'The end',
  ])
    expect(text).toContain(words)
  expect(html.indexOf('Come &lt;')).toBeLessThan(html.indexOf(`id="${first.anchor}"`))
  expect(html.indexOf('The end')).toBeGreaterThan(html.indexOf(`id="${edition.sections.at(-1)?.anchor}"`))
})

test('an address that is no web address leads nowhere, even if it came in by another door', async () => {
  const edition = readEdition('thin')
  edition.blocks = [
    {
      ...hostile,
      link: { url: 'javascript:alert(1)', text: 'x' },
      image: { url: 'data:x', alt: '', width: 536, height: null },
    },
  ]
  expect(template.mjml(edition)).not.toMatch(/javascript:|data:x/)
})

test.each(['digest.mjml.hbs', 'digest.txt.hbs'])(
  'a template whose %s does not print blocks is refused, but only for an edition that has one',
  async (file) => {
    const templates = mkdtempSync(join(tmpdir(), 'lastword-blocks-'))
    cpSync('templates', templates, { recursive: true })
    const path = join(templates, 'email', file)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('{{> blocks}}', ''))
    const edition = readEdition('thin')
    const problems = async () => (await renderEdition(edition, openTemplate(templates, 'digest'))).problems
    expect(await problems()).toEqual([])
    edition.blocks = [hostile]
    expect(await problems()).toEqual([
      expect.stringMatching(/does not show the editors’ own blocks: it needs \{\{> blocks\}\}/),
    ])
    rmSync(templates, { recursive: true })
  },
)
