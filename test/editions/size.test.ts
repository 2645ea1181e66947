import { afterEach, describe, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import type { Render } from '../../src/editions/edition.ts'
import { approve, approveByRule } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { htmlBytes, sizeWarning } from '../../src/editions/size.ts'
import type { Log } from '../../src/log.ts'
import { keyLength } from '../../src/mail/keys.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { editionHistory, inWords } from '../support/history.ts'
import { newsFeed, openWorld, opinionFeed, plainRender, publishTitles, type World } from '../support/world.ts'

describe('the size of an email', () => {
  test('is that of the bytes with a key in each slot', () => {
    expect(htmlBytes({ html: '<p>é</p>', slot: '~~' })).toBe(9)
    expect(htmlBytes({ html: 'a~~b~~', slot: '~~' })).toBe(2 + 2 * keyLength)
  })

  test.each([
    [102 * 1024, undefined],
    [
      102 * 1024 + 1,
      /^the email has 103 KB; Gmail shows the first 102 KB and hides the rest, with the unsubscribe link: /,
    ],
    [1024 * 1024, /^the email has 1024 KB; Gmail/],
    [1024 * 1024 + 1, /^the email has 1\.1 MB, and no more than 1 MB is sent: /],
    [19.5 * 1024 * 1024, /^the email has 19\.5 MB/],
  ])('of %d bytes', (bytes, words) => {
    if (words) expect(sizeWarning(bytes)).toMatch(words)
    else expect(sizeWarning(bytes)).toBeUndefined()
  })
})

onBothEngines('an edition', (freshUrl) => {
  let it: World
  afterEach(() => it.close())

  const sealed = async (bytes: number) => {
    it = await openWorld({ storeUrl: await freshUrl() })
    await publishTitles(it, newsFeed, ['one', 'two'])
    await publishTitles(it, opinionFeed, ['three'])
    const logged: unknown[] = []
    const log = { info: (...line: unknown[]) => logged.push(line) } as unknown as Log
    const render: Render = async (draft) => ({ ...(await plainRender(draft)), html: 'x'.repeat(bytes) })
    const made = await compose(it.app, it.digest, it.clock.now())
    const edition = await seal({ ...it.app, render, log }, made?.id ?? '', it.digest)
    return { edition, logged, words: (await editionHistory(it.app.db, edition.id)).map(({ what }) => what).join('\n') }
  }

  test('that Gmail shows whole is sealed without a word about its size', async () => {
    const { edition, logged, words } = await sealed(102 * 1024)
    expect(edition.status).toBe('sealed')
    expect(words).not.toContain('KB')
    expect(logged).toEqual([])
  })

  test('that Gmail clips is sealed, with a warning in its history and in the log', async () => {
    const { edition, logged, words } = await sealed(140 * 1024)
    expect(edition).toMatchObject({ status: 'sealed', reason: null })
    expect(words).toContain('The email has 140 KB')
    expect(logged).toEqual([
      [{ event: 'edition.clipped', edition: edition.id, digest: 'weekly', bytesHtml: 140 * 1024 }, expect.any(String)],
    ])
    expect(await approveByRule(it.app, edition.id, 'rule')).toBe(true)
  })

  test('above a megabyte is held, is approved by no rule and no press, and on record by who says anyway', async () => {
    const { edition, logged } = await sealed(1024 * 1024 + 1)
    expect(inWords(edition)).toMatchObject({ status: 'held', reason: expect.stringMatching(/^the email has 1\.1 MB/) })
    expect(logged).toEqual([[expect.objectContaining({ event: 'edition.too_large' }), expect.any(String)]])
    expect(await approveByRule(it.app, edition.id, 'rule')).toBe(false)
    await expect(approve(it.app, edition.id, 'Mo')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/was not approved\. The email has 1\.1 MB/),
    })
    expect((await editionById(it.app.db, edition.id))?.status).toBe('held')
    await approve(it.app, edition.id, 'Mo', { anyway: true })
    expect((await editionById(it.app.db, edition.id))?.status).toBe('approved')
  })
})
