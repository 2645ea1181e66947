import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import type { Draft } from '../../src/editions/edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { draftRenderer } from '../../src/messages/draft-renderer.ts'
import { toView } from '../../src/messages/edition-view.ts'
import { renderEdition } from '../../src/messages/render.ts'
import { RenderThread } from '../../src/messages/render-thread.ts'
import { openTemplate } from '../../src/messages/template.ts'
import type { WholeArticle } from '../../src/store/articles/article.ts'
import { countThreadStarts, untilThreadEnds } from '../support/threads.ts'

let templates: string
beforeEach(() => {
  templates = mkdtempSync(join(tmpdir(), 'lastword-thread-'))
  cpSync('templates', templates, { recursive: true })
})
afterEach(() => rmSync(templates, { recursive: true }))

const publication = { name: 'Harbour', site: 'https://harbour.example', contact: 'a@harbour.example', address: 'Quay' }
const config = () => configSchema.parse({ publication, templates })

function draftWith(body: string): Draft {
  const digest = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const at = '2026-11-27T07:00:00.000Z'
  const edition = { ...blankEdition('secret', digest, at, at), number: 2 }
  const words = {
    title: 'Trams',
    url: 'https://harbour.example/1',
    summary: 'They run.',
    author: '',
    source: 'Quay',
    publishedAt: null,
  }
  const article = { id: '1', ...words, body: { html: body, cut: false } } as unknown as WholeArticle
  const items = [{ kind: 'article' as const, article }]
  const sections = [{ section: { ...section, layout: 'latest' as const, body: 'full' as const }, items }]
  return { edition, digest, sections, corrections: [], slot: '~' }
}

const file = (name: string) => join(templates, 'email', name)
function change(name: string, from: string, to: string): void {
  const before = readFileSync(file(name), 'utf8')
  expect(before).toContain(from)
  writeFileSync(file(name), before.replace(from, to))
}

test('an edition has the same bytes as one that is rendered in this thread', async () => {
  const draft = draftWith('<p>The whole text.</p>')
  const view = toView(draft, config())
  const here = await renderEdition(view, openTemplate(templates, 'digest'))
  const { head, ...there } = await draftRenderer(config())(draft)
  expect(there).toEqual({ preheader: view.preheader, ...here })
  expect(there.html).toContain('The whole text.')
  expect(JSON.parse(head)).toMatchObject({ number: 2 })
})

test('one thread renders all editions', async () => {
  const thread = new RenderThread()
  const task = { draft: draftWith('<p>a</p>'), publishing: config(), templates }
  expect(await countThreadStarts(() => Promise.all([1, 2, 3].map(() => thread.render(task))))).toBe(1)
  expect(await countThreadStarts(() => thread.render(task))).toBe(0)
})

test('a template that cannot be read is refused with file and line, until it has been mended', async () => {
  const render = draftRenderer(config())
  change('parts/footer.mjml.hbs', '<mj-column>', '<mj-colum>')
  await expect(render(draftWith(''))).rejects.toMatchObject({
    name: 'AppError',
    code: 'invalid',
    message: `${file('parts/footer.mjml.hbs')}:2: there is no MJML tag <mj-colum>: did you mean <mj-column>?`,
  })
  change('parts/footer.mjml.hbs', '<mj-colum>', '<mj-column>')
  expect((await render(draftWith(''))).problems).toEqual([])
  change('digest.mjml.hbs', '{{> footer}}', '')
  expect((await render(draftWith(''))).problems).toHaveLength(2)
})

test('an edition that takes too much memory fails in words, alone', async () => {
  const thread = new RenderThread({ heapMegabytes: 96, seconds: 100, idleSeconds: 100 })
  const task = (body: string) => ({ draft: draftWith(body), publishing: config(), templates })
  const [large, small] = await Promise.allSettled([
    thread.render(task('a<br>'.repeat(3_000_000))),
    thread.render(task('<p>a</p>')),
  ])
  expect(large).toMatchObject({ reason: { code: 'unavailable', message: expect.stringContaining('96 MB of memory') } })
  expect(small).toMatchObject({ value: { problems: [] } })
})

test('a thread without work is ended, and the next edition has another', async () => {
  const thread = new RenderThread({ heapMegabytes: 512, seconds: 100, idleSeconds: 0 })
  const task = { draft: draftWith('<p>The whole text.</p>'), publishing: config(), templates }
  const first = await untilThreadEnds(() => thread.render(task))
  expect(await countThreadStarts(async () => expect(await thread.render(task)).toEqual(first))).toBe(1)
})
