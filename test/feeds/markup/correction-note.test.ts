import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { noteInTexts } from '../../../src/feeds/markup/correction-note.ts'
import { readPageState } from '../../../src/feeds/parse/page/page-state.ts'
import { parseFeed } from '../../../src/feeds/parse/parse-feed.ts'

const folder = 'fixtures/corrections'
const pages = (under: string) => readdirSync(join(folder, under)).filter((file) => file.endsWith('.html'))
const state = (file: string) =>
  readPageState(readFileSync(join(folder, file), 'utf8'), 'https://harbour.example/bridge')

describe('a page that tells of a correction', () => {
  test.each(pages('.'))('such as %s is read as its pair says', (file) => {
    const expected = JSON.parse(readFileSync(join(folder, file.replace('.html', '.expected.json')), 'utf8'))
    expect(state(file).note).toEqual(expected)
    expect(state(file)).toMatchObject({ title: 'Bridge opens to trams', isArticle: true })
  })

  test.each(pages('not'))('is not %s', (file) => {
    expect(state(`not/${file}`).note).toBeNull()
  })

  test('has its headline from structured data where Open Graph is silent, and none is made up', () => {
    const data = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"From the data"}</script>'
    expect(readPageState(`<head>${data}</head>`, 'https://harbour.example/')).toMatchObject({ title: 'From the data' })
    expect(readPageState('<h1>Sign in</h1>', 'https://harbour.example/')).toMatchObject({ title: '', isArticle: false })
  })

  test('may be a page of tricks: nested, unclosed or endless, it is read, and no further than 20,000 tags', () => {
    const note = '<p>Correction: the bridge is 310 metres long.</p>'
    for (const trick of ['<article>'.repeat(50_000), '<nav>'.repeat(10_000), '<i>'.repeat(20_000), '<!--', '<script>'])
      expect(readPageState(trick + note, 'https://harbour.example/').note).toBeNull()
    for (const trick of ['</article></nav>'.repeat(5000), '< '.repeat(10_000), '<p>x</p>'.repeat(9000)])
      expect(readPageState(trick + note, 'https://harbour.example/').note?.text).toContain('310 metres')
  })
})

describe('a feed', () => {
  const entry = (text: string) =>
    `<rss version="2.0"><channel><title>Harbour</title><item><title>Bridge</title><link>https://harbour.example/b</link>${text}</item></channel></rss>`
  const noteOf = async (text: string) => {
    const parsed = await parseFeed(Buffer.from(entry(text)), { url: 'https://harbour.example/feed', contentType: null })
    return 'failed' in parsed ? parsed.failed : parsed.articles[0]?.note
  }

  test('tells of a correction in the text of an article, as HTML or escaped or plain', async () => {
    const note = 'Correction: the bridge is 310 metres long.'
    expect(await noteOf(`<description>A tram. &lt;p&gt;${note}&lt;/p&gt;</description>`)).toBe(note)
    expect(await noteOf(`<description><![CDATA[<p>A tram.</p><p>${note}</p>]]></description>`)).toBe(note)
    expect(await noteOf(`<description>${note}</description>`)).toBe(note)
    expect(await noteOf('<description>A tram crossed the bridge.</description>')).toBeUndefined()
  })

  test('has it found behind what a summary keeps', () => {
    const text = `<p>${'A long story about trams. '.repeat(200)}</p><p>This story has been corrected: it was Monday.</p>`
    expect(noteInTexts([{ value: text, kind: 'html' }])?.text).toBe('This story has been corrected: it was Monday.')
  })
})
