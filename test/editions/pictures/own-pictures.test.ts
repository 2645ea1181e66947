import { afterEach, expect, test } from 'vitest'
import { describeEvent, describeReason } from '../../../src/describe/describe.ts'
import { compose } from '../../../src/editions/compose/compose.ts'
import { editEdition } from '../../../src/editions/edits/edit-edition.ts'
import { sealEdited } from '../../../src/editions/ensure-sealed.ts'
import { inlinePictures } from '../../../src/editions/pictures/inline-pictures.ts'
import { cancel } from '../../../src/editions/review/cancel.ts'
import { seal } from '../../../src/editions/seal.ts'
import { loadPictures } from '../../../src/pictures/load-pictures.ts'
import { forgetPictures } from '../../../src/pipeline/forget-pictures.ts'
import type { NewArticle } from '../../../src/store/articles/article.ts'
import { choicesOf } from '../../../src/store/editions/choices.ts'
import { variantsOf } from '../../../src/store/editions/variants.ts'
import { editionEvents } from '../../../src/store/events/events.ts'
import { day, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { publishArticles } from '../../support/newsroom.ts'
import { jpeg, openPictureServer, type PictureAnswer } from '../../support/pictures.ts'
import { makeDatedArticle, newsFeed, openWorld, opinionFeed, type World } from '../../support/world.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Server = Awaited<ReturnType<typeof openPictureServer>>

/** A world whose feeds may name pictures of the server. */
async function openNewsroom(
  storeUrl: string,
  answers: Record<string, PictureAnswer>,
  job: Record<string, string> = {},
): Promise<{ it: World; server: Server }> {
  const server = await openPictureServer(answers)
  closing.push(server.close)
  const it = await openWorld({ storeUrl, job, feeds: { allow: [server.host] } })
  closing.push(it.close)
  return { it, server }
}

function article(it: World, title: string, url: string | null, minutesAgo = 1): NewArticle {
  const published = new Date(Date.parse(it.clock.now()) - minutesAgo * minute)
  return {
    ...makeDatedArticle(title, published),
    image: url === null ? null : { url, width: null, height: null, alt: `${title}, seen` },
  }
}

async function publish(it: World, server: Server, paths: (string | null)[]): Promise<void> {
  const articles = paths.map((path, index) =>
    article(it, `${subjects[index]} of the town`, path === null ? null : server.url(path), index + 1),
  )
  await publishArticles(it, newsFeed, articles)
}

const subjects = ['Harbour', 'Library', 'Council', 'Museum']

async function sealNew(it: World) {
  const made = await compose(it.app, it.digest, it.clock.now())
  const edition = await seal(it.app, made?.id ?? '', it.digest)
  return { id: edition.id, ...(await sealedBytes(it, edition.id)) }
}

async function sealedBytes({ app }: World, id: string) {
  const [variant] = await variantsOf(app.db, id)
  const html = variant?.html ?? ''
  return { html, sources: [...html.matchAll(/<img[^>]* src="([^"]*)"/g)].map(([, url = '']) => url) }
}

const ours = /^https:\/\/letters\.magazine\.example\/pictures\/[0-9a-f]{64}\.(?:jpg|png)$/

async function history({ app }: World, id: string): Promise<string[]> {
  const events = await editionEvents(app.db, id)
  return events.filter(({ kind }) => kind === 'edition.pictures_left_out').map(describeEvent)
}

async function stored({ app }: World): Promise<{ hash: string; width: number }[]> {
  return await app.db.selectFrom('pictures').select(['hash', 'width']).orderBy('width').execute()
}

onBothEngines('pictures: own', (freshUrl) => {
  test('the sealed email shows our own pictures, made for their places and stored once', async () => {
    const lead = { bytes: await jpeg(1600, 900) }
    const { it, server } = await openNewsroom(await freshUrl(), { '/a.jpg': lead, '/b.jpg': lead, '/c.png': lead })
    await publish(it, server, ['/a.jpg', '/b.jpg', '/c.png'])
    const { sources } = await sealNew(it)
    expect(sources).toHaveLength(3)
    for (const source of sources) expect(source).toMatch(ours)
    expect(new Set(sources).size).toBe(2) // the same bytes in the same place are one picture
    expect((await stored(it)).map(({ width }) => width)).toEqual([320, 1072])
    expect(server.asked.toSorted()).toEqual(['/a.jpg', '/b.jpg', '/c.png'])
  })

  test('what cannot be shown is left out, and the article says why', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), {
      '/small.jpg': { bytes: await jpeg(96, 96) },
      '/page.jpg': { bytes: '<!doctype html><title>Sign in</title>' },
      '/good.jpg': { bytes: await jpeg(600, 400) },
    })
    await publish(it, server, ['/small.jpg', '/page.jpg', '/gone.jpg', '/good.jpg'])
    const { id, html, sources } = await sealNew(it)
    expect(sources).toEqual([expect.stringMatching(ours)])
    expect(html).not.toContain(server.host)
    expect(html).toContain('Harbour of the town')
    const reasons = (await choicesOf(it.app.db, id)).map(({ title, reason }) => [title, describeReason(reason)])
    const leftOut = reasons.map(([title, reason = '']) => [title, reason.split('; ').at(-1)])
    expect(leftOut).toContainEqual([
      'Harbour of the town',
      'picture left out: only 96 pixels wide (at least 200 needed)',
    ])
    expect(leftOut).toContainEqual(['Library of the town', 'picture left out: its file is a web page'])
    expect(leftOut).toContainEqual([
      'Council of the town',
      `picture left out: ${server.host} answered 404 (there is nothing at this address)`,
    ])
    expect(reasons.find(([title]) => title?.startsWith('Museum'))?.[1]).not.toContain('picture')
    expect(await history(it, id)).toEqual([
      expect.stringMatching(/^Pictures left out: “Harbour of the town” \(only 96 pixels wide .*; “Library/),
    ])
  })

  test('an address of a private network is not asked', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), { '/good.jpg': { bytes: await jpeg(600, 400) } })
    const other = await openPictureServer({ '/good.jpg': { bytes: await jpeg(600, 400) } })
    closing.push(other.close)
    const articles = [
      article(it, 'Harbour opens', other.url('/good.jpg')),
      article(it, 'Library', server.url('/good.jpg'), 2),
    ]
    await publishArticles(it, newsFeed, articles)
    expect((await sealNew(it)).sources).toHaveLength(1)
    expect(other.asked).toEqual([])
  })

  test('a server that hangs holds up the seal only until the time limit', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), {
      '/slow.jpg': undefined,
      '/good.jpg': { bytes: await jpeg(600, 400) },
    })
    await publish(it, server, ['/slow.jpg', '/good.jpg'])
    const made = await compose(it.app, it.digest, it.clock.now())
    const pictures = {
      logo: undefined,
      load: (wanted: Parameters<typeof loadPictures>[1]) => loadPictures(it.app, wanted, 300),
    }
    const edition = await seal({ ...it.app, pictures }, made?.id ?? '', it.digest)
    expect(edition.status).toBe('sealed')
    expect((await sealedBytes(it, edition.id)).sources).toHaveLength(1)
    expect(await history(it, edition.id)).toEqual([
      'Pictures left out: “Harbour of the town” (it did not arrive in time)',
    ])
  })

  test('a server with a passing fault is asked a second time', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), { '/a.jpg': { status: 503 } })
    await publish(it, server, ['/a.jpg', null])
    expect((await sealNew(it)).sources).toEqual([])
    expect(server.asked).toEqual(['/a.jpg', '/a.jpg'])
  })

  test('an edit seals again with the same pictures, and with the one that the editor chose', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), {
      '/a.jpg': { bytes: await jpeg(1600, 900) },
      '/b.jpg': { bytes: await jpeg(1200, 675) },
      '/mine.png': { bytes: await jpeg(1000, 700) },
    })
    await publish(it, server, ['/a.jpg', '/b.jpg'])
    const before = await sealNew(it)
    server.answers['/b.jpg'] = { status: 404 } // asked again only after a day
    const lead = (await choicesOf(it.app.db, before.id)).find(({ position }) => position === 1)
    const change = { kind: 'picture', target: lead?.itemId ?? '', picture: server.url('/mine.png') } as const
    await editEdition(it.app, before.id, change, 'Ada')
    const block = { kind: 'block', heading: 'Join us', text: 'Come.', picture: server.url('/a.jpg') } as const
    await editEdition(it.app, before.id, block, 'Ada')
    await sealEdited(it.app, before.id)
    const after = await sealedBytes(it, before.id)
    expect(after.sources).toHaveLength(3)
    expect(after.sources).toContain(before.sources[1])
    expect(after.sources).toContain(before.sources[0]) // now in the block
    expect(server.asked).toEqual(['/a.jpg', '/b.jpg', '/mine.png'])
  })

  test('a picture that was shown stays when its server fails a day later', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), { '/a.jpg': { bytes: await jpeg(1600, 900) } })
    const wanted = [{ url: server.url('/a.jpg'), role: 'wide' as const }]
    const [first] = (await it.app.pictures.load(wanted)).values()
    it.clock.advance(2 * day)
    server.answers['/a.jpg'] = { status: 500 }
    expect([...(await it.app.pictures.load(wanted)).values()]).toEqual([first])
    expect(server.asked).toHaveLength(3)
    it.clock.advance(2 * day)
    server.answers['/a.jpg'] = { bytes: await jpeg(1, 1) } // an answer, which says that there is none
    expect([...(await it.app.pictures.load(wanted)).values()]).toEqual([
      { reason: { code: 'picture-small', side: 'width', pixels: 1, minimum: 200 } },
    ])
  })

  test('the last word shows the portrait of its author, not the picture of the article', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), {
      '/writer.jpg': { bytes: await jpeg(400, 500) },
      '/a.jpg': { bytes: await jpeg(1600, 900) },
    })
    await publish(it, server, [null, null])
    const portrait = { url: server.url('/writer.jpg'), width: null, height: null, alt: '' }
    await publishArticles(it, opinionFeed, [{ ...article(it, 'What trams teach', server.url('/a.jpg')), portrait }])
    expect((await sealNew(it)).sources).toHaveLength(1)
    expect([server.asked, (await stored(it)).map(({ width }) => width)]).toEqual([['/writer.jpg'], [224]])
  })

  test('the logo is ours too, and without it the name is printed', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), { '/logo.png': { bytes: await jpeg(600, 200) } })
    await publish(it, server, [null, null])
    it.app.pictures.logo = server.url('/logo.png')
    it.app.config.publication.logo = server.url('/logo.png')
    expect((await sealNew(it)).sources).toEqual([expect.stringMatching(ours)])
  })

  test('pictures: link leaves the addresses of the feed, and none prints no picture', async () => {
    for (const [mode, sources] of [
      ['link', 1],
      ['none', 0],
    ] as const) {
      const bytes = await jpeg(1600, 900)
      const { it, server } = await openNewsroom(await freshUrl(), { '/a.jpg': { bytes } }, { pictures: mode })
      await publish(it, server, ['/a.jpg', null])
      const edition = await sealNew(it)
      expect(edition.sources).toEqual(sources === 1 ? [server.url('/a.jpg')] : [])
      expect([server.asked, await stored(it)]).toEqual([[], []])
    }
  })

  test('a preview file has its pictures inside', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), { '/a.jpg': { bytes: await jpeg(1600, 900) } })
    await publish(it, server, ['/a.jpg', null])
    const { html, sources } = await sealNew(it)
    const inlined = await inlinePictures(it.app.db, it.app.config.web.url, html)
    expect(inlined).toMatch(/<img[^>]* src="data:image\/jpeg;base64,\/9j\/[A-Za-z0-9+/=]+"/)
    expect(inlined).not.toContain(sources[0])
    const strange = '<img src="https://letters.magazine.example/pictures/x.jpg">'
    expect(await inlinePictures(it.app.db, it.app.config.web.url, strange)).toBe(strange)
  })

  test('pictures are deleted when no edition shows them, and those of sent editions stay', async () => {
    const { it, server } = await openNewsroom(await freshUrl(), {
      '/a.jpg': { bytes: await jpeg(1600, 900) },
      '/b.jpg': { bytes: await jpeg(1400, 800) },
      '/preview.jpg': { bytes: await jpeg(1200, 700) },
      '/mine.jpg': { bytes: await jpeg(900, 700) },
    })
    await publish(it, server, ['/a.jpg', null])
    const sent = await sealNew(it)
    await it.app.pictures.load([{ url: server.url('/preview.jpg'), role: 'wide' }])
    await it.app.db.updateTable('editions').set({ status: 'sent', audienceAt: it.clock.now() }).execute()
    const articles = [article(it, 'Trams return', server.url('/b.jpg')), article(it, 'Books', null, 2)]
    await publishArticles(it, opinionFeed, articles)
    it.clock.advance(day)
    const cancelled = await sealNew(it)
    const [kept = '', dropped = ''] = [sent.sources[0], cancelled.sources[0]].map(
      (url = '') => /[0-9a-f]{64}/.exec(url)?.[0],
    )
    const hashes = async () => (await stored(it)).map(({ hash }) => hash)
    it.clock.advance(6 * day)
    expect(await forgetPictures(it.app)).toBe(0)
    it.clock.advance(2 * day)
    expect(await forgetPictures(it.app)).toBe(1) // of the preview
    expect((await hashes()).toSorted()).toEqual([kept, dropped].toSorted()) // the open edition keeps its own
    await cancel(it.app, cancelled.id, 'Ada', 'not needed')
    expect(await forgetPictures(it.app)).toBe(1)
    expect(await hashes()).toEqual([kept])
    it.clock.advance(2000 * day)
    expect(await forgetPictures(it.app)).toBe(0)
    expect(await hashes()).toEqual([kept])
  })
})
