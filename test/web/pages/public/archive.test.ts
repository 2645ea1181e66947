import { expect, test } from 'vitest'
import type { Config } from '../../../../src/config/config.ts'
import { approve } from '../../../../src/editions/review/approve.ts'
import { cancel } from '../../../../src/editions/review/cancel.ts'
import { pause } from '../../../../src/editions/review/pause.ts'
import { CountChange, writeCounts } from '../../../../src/store/deliveries/counts.ts'
import { moveEdition } from '../../../../src/store/editions/editions.ts'
import { variantsOf } from '../../../../src/store/editions/variants.ts'
import type { DeliveryStatus } from '../../../../src/store/schema.ts'
import { onBothEngines } from '../../../support/databases/engines.ts'
import { openSite, type Site } from '../../site.ts'

type Options = Parameters<typeof openSite>[0]

/** A site whose one edition is sent. */
async function sentSite(options: Options): Promise<Site> {
  const site = await openSite(options)
  await site.app.db.updateTable('editions').set({ status: 'sent' }).execute()
  return site
}

const hidden = { job: { archive: 'off' } }
const paths = (site: Site) => [`/editions/${site.edition.id}`, `/editions/${site.edition.id}/as-sent`]

onBothEngines('a digest with archive: off', (freshUrl) => {
  test('is on no public page, and editors can read its editions', async () => {
    const site = await sentSite({ ...hidden, storeUrl: await freshUrl() })
    const front = await (await site.get('/')).text()
    expect(front).toContain('No edition has been sent yet')
    for (const words of ['The Weekly', site.edition.id, site.edition.subject]) expect(front).not.toContain(words)
    const editor = await site.signIn()
    const missing = await (await site.get('/editions/019335c0-0000-7000-8000-000000000000')).text()
    for (const path of paths(site)) {
      const answer = await site.get(path)
      expect([answer.status, await answer.text()]).toEqual([404, missing])
      const own = await editor.get(path)
      expect([own.status, own.headers.get('Cache-Control')]).toEqual([200, 'no-store'])
    }
    expect((await editor.get(`/studio/editions/${site.edition.id}/preview`)).status).toBe(200)
    await site.close()
  })

  test('stays private when its job file is gone, and a digest without the setting stays public', async () => {
    for (const [options, status] of [
      [hidden, 404],
      [{}, 200],
    ] as const) {
      const site = await sentSite({ ...options, storeUrl: await freshUrl() })
      site.app.digests.splice(0)
      for (const path of paths(site)) expect((await site.get(path)).status).toBe(status)
      expect((await (await site.get('/')).text()).includes(site.edition.id)).toBe(status === 200)
      await site.close()
    }
  })

  test('applies to editions made before the setting', async () => {
    const site = await sentSite({ storeUrl: await freshUrl() })
    for (const digest of site.app.digests) digest.archive = 'off'
    expect((await site.get('/')).status).toBe(200)
    for (const path of paths(site)) expect((await site.get(path)).status).toBe(404)
    expect(await (await site.get('/')).text()).not.toContain(site.edition.id)
    await site.close()
  })
})

onBothEngines('an edition whose sending was paused or cancelled', (freshUrl) => {
  const partly: [DeliveryStatus, number][] = [
    ['accepted', 200],
    ['unknown', 200],
    ['queued', 404],
    ['refused', 404],
  ]
  test.each(partly)(
    'has its page if it may have reached a person: one message %s gives %i',
    async (status, expected) => {
      const site = await openSite({ storeUrl: await freshUrl() })
      const { app, edition } = site
      await approve(app, edition.id, 'mira')
      await moveEdition(app.db, edition.id, ['approved'], { status: 'sending' })
      const change = new CountChange()
      change.add(status, 1)
      await writeCounts(app.db, edition.id, change)
      await pause(app, edition.id, 'mira', 'a wrong name in it')
      for (const path of paths(site)) expect((await site.get(path)).status).toBe(expected)
      await cancel(app, edition.id, 'mira', 'a wrong name in it')
      for (const path of paths(site)) expect((await site.get(path)).status).toBe(expected)
      await site.close()
    },
  )
})

const publication = {
  name: 'The Magazine',
  site: 'https://magazine.example',
  contact: 'letters@magazine.example',
  address: '1 High Street',
  tagline: '',
  language: 'en-GB',
  colours: { brand: '#123456', accent: '#654321' },
}

test.each([
  ['with a logo', { logo: 'https://magazine.example/logo.png' }],
  ['without a logo', {}],
])('its emails have no link to read them on the web, %s', async (_, logo) => {
  const config = { publication: { ...publication, ...logo } as Config['publication'] }
  for (const [options, count] of [
    [hidden, 0],
    [{}, 2],
  ] as const) {
    const site = await openSite({ ...options, config, rendered: true })
    const [{ html, text } = { html: '', text: '' }] = await variantsOf(site.app.db, site.edition.id)
    for (const part of [html, text]) {
      expect(part.match(/View in browser/g) ?? []).toHaveLength(count)
      expect(part.match(new RegExp(`/editions/${site.edition.id}`, 'g')) ?? []).toHaveLength(count)
      expect(part).toContain('/leave/')
    }
    expect(html).not.toContain('href=""')
    expect(text).not.toMatch(/\n{4}/)
    await site.close()
  }
})
