import { expect, test } from 'vitest'
import { onBothEngines } from '../support/databases/engines.ts'
import { openSite } from './site.ts'

const garbage = [
  '%00',
  'x%00y',
  '%ED%A0%80',
  '%F0%9F%8E%88',
  "'--",
  '019335c0-0000-7000-8000-00000000000',
  '-'.repeat(36),
]

/** Paths with an id, and the form fields that they need. */
const posts = (id: string): [string, Record<string, string>][] => [
  [`/studio/corrections/${id}/decision`, { decision: 'accept' }],
  [`/studio/feeds/${id}/decision`, { decision: 'release' }],
  [`/studio/letters/${id}`, { headline: 'a' }],
  [`/studio/letters/${id}/withdrawal`, { confirm: 'yes' }],
  [`/studio/kept-forms/${id}/removal`, {}],
  ...['approval', 'hold', 'cancellation', 'pause', 'resumption', 'retraction', 'restoration'].map(
    (act): [string, Record<string, string>] => [`/studio/editions/${id}/${act}`, { reason: 'a', confirm: 'yes' }],
  ),
]

onBothEngines('what is no id', (freshUrl) => {
  test('is not found in an address, ignored in a query, refused in a form, and never an internal error', async () => {
    const site = await openSite({ storeUrl: await freshUrl() })
    const editor = await site.signIn()
    const edition = `/studio/editions/${site.edition.id}`
    for (const id of garbage) {
      for (const path of [
        `/editions/${id}`,
        `/editions/${id}/as-sent`,
        `/studio/editions/${id}`,
        `/studio/letters/${id}`,
      ])
        expect([path, (await editor.get(path)).status]).toEqual([path, 404])
      for (const [path, fields] of posts(id)) {
        const { status } = await editor.post(path, fields)
        expect([path, status]).toEqual([path, 404])
      }
      for (const query of ['done', 'corrected', 'decided', 'sending', 'page', 'view'])
        for (const page of ['/studio', '/studio/letters', edition]) {
          const path = `${page}?${query}=${id}`
          expect([path, (await editor.get(path)).status]).toEqual([path, 200])
        }
      const article = decodeURIComponent(id.replace('%ED%A0%80', '%EF%BF%BD'))
      for (const act of ['retraction', 'restoration']) {
        const { status } = await editor.post(`${edition}/${act}`, { article, reason: 'a' })
        expect([act, id, status]).toEqual([act, id, 404])
      }
      expect((await editor.post('/studio/sending-resumption', { keptForm: article })).status).toBe(409)
    }
    await site.close()
  })
})
