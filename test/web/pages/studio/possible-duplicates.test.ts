import { afterEach, beforeEach, expect, test } from 'vitest'
import { chosenOf } from '../../../../src/store/editions/choices.ts'
import { recordPossibleDuplicates } from '../../../../src/store/ledger/stories.ts'
import { type Editor, openSite, type Site } from '../../site.ts'

let site: Site
let mira: Editor

beforeEach(async () => {
  site = await openSite({ job: { approval: 'required' } })
  mira = await site.signIn('mira')
})
afterEach(() => site.close())

test('a possible duplicate is named on the page, until an editor says that it is none', async () => {
  const page = `/studio/editions/${site.edition.id}`
  const text = async () => (await (await mira.get(page)).text()).replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
  const [first, second] = (await chosenOf(site.app.db, site.edition.id)).filter(({ kind }) => kind === 'article')
  const article = second?.itemId ?? ''
  await recordPossibleDuplicates(site.app.db, site.digest.name, [], new Map([[article, first?.itemId ?? '']]))

  expect(await text()).toContain(`ossible duplicate of “${first?.title}”`)
  const answer = await mira.post(`${page}/duplicates`, { article })
  expect(answer.status).toBe(303)
  expect(await text()).not.toContain('ossible duplicate of')
  expect(await text()).toContain(`“${second?.title}” is not a duplicate of “${first?.title}”`)

  expect((await mira.post(`${page}/duplicates`, { article })).status).toBe(409)
})
