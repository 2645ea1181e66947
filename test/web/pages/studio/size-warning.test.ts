import { afterEach, expect, test } from 'vitest'
import { openSite, type Site } from '../../site.ts'

let site: Site
afterEach(() => site.close())

test('the page of an edition says if Gmail will cut it off, and nothing otherwise', async () => {
  site = await openSite()
  const editor = await site.signIn()
  const page = async () => (await editor.get(`/studio/editions/${site.edition.id}`)).text()
  expect(await page()).not.toContain('Gmail')
  await site.app.db
    .updateTable('variants')
    .set({ html: `<p>${'x'.repeat(130 * 1024)}</p>` })
    .execute()
  expect(await page()).toContain('The email has 131 KB; Gmail shows the first 102 KB')
})
