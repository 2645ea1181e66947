import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { seal } from '../../src/editions/seal.ts'
import { variantsOf } from '../../src/store/editions/variants.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { newsFeed, openWorld, publishTitles, type World } from '../support/world.ts'

onBothEngines('an edition with articles whose titles show nothing', (freshUrl) => {
  let it: World
  afterEach(() => it.close())

  test('is sealed with the real template, each called by other words', async () => {
    it = await openWorld({ storeUrl: await freshUrl() })
    await publishTitles(it, newsFeed, ['\u2066\u2069', '\u202a', 'Trams', '\u3164'])
    const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
    expect(await seal(it.app, id, it.digest)).toMatchObject({ status: 'sealed' })
    const [variant] = await variantsOf(it.app.db, id)
    const html = variant?.html.replaceAll('<span dir="ltr"></span>', '') // what the marks of direction become
    expect(html?.match(/<a class="title[^>]*>[^<]+<\/a>/g)).toHaveLength(4)
    expect(html).not.toMatch(/<a class="title[^>]*><\/a>/)
  })
})
