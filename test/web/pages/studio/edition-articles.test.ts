import { afterEach, expect, test } from 'vitest'
import { addChoices, countPassedOver } from '../../../../src/store/editions/choices.ts'
import type { Reason } from '../../../../src/store/events/reason.ts'
import { toJson } from '../../../../src/store/json.ts'
import { onBothEngines } from '../../../support/databases/engines.ts'
import { newsFeed, publishTitles } from '../../../support/world.ts'
import { openSite, type Site } from '../../site.ts'

onBothEngines('the articles that an edition does not include', (freshUrl) => {
  let site: Site
  afterEach(() => site.close())

  async function passOver(titles: string[]): Promise<void> {
    await publishTitles(site, newsFeed, titles)
    const { db } = site.app
    const articles = await db.selectFrom('articles').select('id').where('title', 'in', titles).execute()
    const place = { editionId: site.edition.id, letterId: null, section: 'latest', position: null, lastAt: null }
    await addChoices(
      db,
      articles.map(({ id }) => ({ ...place, articleId: id, reason: toJson<Reason>({ code: 'no-section' }) })),
    )
  }

  test('are on pages of a hundred, each once, with the total', async () => {
    const titles = Array.from({ length: 255 }, (_, number) => `Story number ${number}.`)
    site = await openSite({ storeUrl: await freshUrl() })
    await passOver(titles)
    const editor = await site.signIn()
    const count = await countPassedOver(site.app.db, site.edition.id)
    expect(count).toBeGreaterThan(200)
    const read = async (query: string) => {
      const html = await (await editor.get(`/studio/editions/${site.edition.id}${query}`)).text()
      const passed = html.slice(html.indexOf('id="passed"'), html.indexOf('id="history"'))
      expect(passed).toContain(`(${count})`)
      const headlines = passed.match(/<p class="title">.*?<\/p>/g)?.join('') ?? ''
      return { passed, stories: headlines.match(/Story number \d+\.|Third thoughts, passed over/g) ?? [] }
    }
    const [first, second, third] = [await read(''), await read('?passed=2'), await read('?passed=3')]
    expect(first.stories).toHaveLength(100)
    expect(first.passed).toContain(`1 to 100 of ${count}, newest first`)
    expect(first.passed).toMatch(/href="[^"]*\?passed(?:=|&#x3D;)2#passed" rel="next"/)
    expect(first.passed).not.toContain('rel="prev"')
    expect(third.passed).not.toContain('rel="next"')
    const all = [first, second, third].flatMap(({ stories }) => stories)
    expect(new Set(all).size).toBe(all.length)
    expect(all.length).toBe(count)
    expect((await read('?passed=99')).passed).toContain('There is nothing on this page.')
  })
})
