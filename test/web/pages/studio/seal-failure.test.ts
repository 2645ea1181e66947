import { expect, test } from 'vitest'
import { compose } from '../../../../src/editions/compose/compose.ts'
import { recordSealFailure } from '../../../../src/editions/seal-failure.ts'
import { AppError } from '../../../../src/errors.ts'
import { newsFeed, publishTitles } from '../../../support/world.ts'
import { openSite } from '../../site.ts'

test('the page of an edition that cannot be sealed says why, and what to do', async () => {
  const site = await openSite()
  site.clock.advance(1000)
  await publishTitles(site, newsFeed, ['A tram', 'A ferry'])
  const id = (await compose(site.app, site.digest, site.clock.now()))?.id ?? ''
  const editor = await site.signIn()
  const page = async () => (await editor.get(`/studio/editions/${id}`)).text()
  expect(await page()).not.toContain('could not be made ready')
  await recordSealFailure(site.app, id, new AppError('invalid', 'digest.mjml.hbs: its HTML is empty'))
  const html = await page()
  expect(html).toContain(
    '<p class="reason">This edition could not be made ready: digest.mjml.hbs: its HTML is empty</p>',
  )
  expect(html).toContain('at once after you change the template')
  await site.close()
})
