import { translate } from '../../../describe/translate.ts'
import { languageOf } from '../../../editions/digest.ts'
import { paletteOf } from '../../../messages/palette.ts'
import { correctionsAbout, withdrawalsOf } from '../../../store/corrections/corrections.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { dayFormatter } from '../../format.ts'
import type { Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'

/**
 * The dated notes above an edition in the archive, as HTML; empty if there are none. One for each accepted correction
 * of the edition, and one for each withdrawn correction that it printed.
 */
export async function archiveNotes({ app, pages, base }: Web, edition: EditionRow): Promise<string> {
  const about = await correctionsAbout(app.db, edition.id)
  const noted = about.filter(({ status }) => status === 'accepted' || status === 'withdrawn')
  for (const one of await withdrawalsOf(app.db, edition.id)) if (!about.some(({ id }) => id === one.id)) noted.push(one)
  if (noted.length === 0) return ''
  const { publication } = app.config
  const digest = app.digests.find((one) => one.name === edition.digest)
  const language = languageOf(digest, publication)
  const day = dayFormatter(digest?.zone, language)
  const { light, dark } = paletteOf({ ...publication.colours, onBrand: '#ffffff', onAccent: '#ffffff' })
  const notes = noted.map(({ kind, said, words, url, decidedAt, withdrawnAt, withdrawnReason }) => ({
    said,
    words: words ?? '',
    on: day(decidedAt ?? ''),
    withdrawn: withdrawnAt === null ? [] : [{ on: day(withdrawnAt), reason: withdrawnReason ?? '' }],
    article: kind !== 'gone' && /^https?:/i.test(url) ? [url] : [],
  }))
  const view = {
    title: translate(language, 'page.corrections'),
    notes,
    light,
    dark,
    asSent: base + pathTo(urls.asSent, edition.id),
  }
  const { name, site: url, contact } = publication
  return pages.render('archive-notes', view, {
    language,
    site: { name, url, contact },
    base,
    staff: '',
    csrf: '',
    sendingStop: '',
  })
}
