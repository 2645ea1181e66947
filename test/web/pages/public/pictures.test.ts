import { expect, test } from 'vitest'
import { savePicture } from '../../../../src/store/pictures/pictures.ts'
import { webApp } from '../../../../src/web/server.ts'
import { onBothEngines } from '../../../support/databases/engines.ts'
import { jpeg } from '../../../support/pictures.ts'
import { openSite, type Site } from '../../site.ts'

const hash = 'a1'.repeat(32)

async function siteWithPicture(storeUrl: string): Promise<{ site: Site; bytes: Buffer }> {
  const site = await openSite({ storeUrl, job: { archive: 'off' } })
  const bytes = await jpeg(320, 213)
  const picture = { hash, type: 'jpg' as const, bytes, width: 320, height: 213, madeAt: site.clock.now() }
  await savePicture(site.app.db, 'thumbnail https://magazine.example/a.jpg', picture)
  return { site, bytes }
}

onBothEngines('a picture of an edition', (freshUrl) => {
  test('is served to everyone for a year, also without an archive', async () => {
    const { site, bytes } = await siteWithPicture(await freshUrl())
    for (const _ of ['from the store', 'from memory']) {
      const answer = await site.get(`/pictures/${hash}.jpg`)
      expect(answer.status).toBe(200)
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'image/jpeg',
        'content-length': String(bytes.length),
        'cache-control': 'public, max-age=31536000, immutable',
        etag: `"${hash}"`,
        'x-content-type-options': 'nosniff',
      })
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true)
    }
    await site.close()
  })

  test('is not sent again to a browser that has it', async () => {
    const { site } = await siteWithPicture(await freshUrl())
    for (const tag of [`"${hash}"`, `W/"${hash}"`, `"other", "${hash}"`, '*']) {
      const answer = await site.get(`/pictures/${hash}.jpg`, { 'If-None-Match': tag })
      expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, `"${hash}"`, ''])
    }
    expect((await site.get(`/pictures/${hash}.jpg`, { 'If-None-Match': '"other"' })).status).toBe(200)
    await site.close()
  })

  test('has no body for HEAD, and no other address', async () => {
    const { site, bytes } = await siteWithPicture(await freshUrl())
    const head = await webApp(site.app).request(`/pictures/${hash}.jpg`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([
      200,
      String(bytes.length),
      '',
    ])
    const others = [
      `${hash}.png`,
      hash,
      `${'b2'.repeat(32)}.jpg`,
      `${hash.toUpperCase()}.jpg`,
      `x${hash}.jpg`,
      '%2e%2e%2fstyle.css',
      '',
    ]
    for (const file of others) {
      const answer = await site.get(`/pictures/${file}`)
      expect([file, answer.status]).toEqual([file, 404])
    }
    await site.close()
  })
})
