import { paletteOf } from '../messages/palette.ts'
import { correctionsAbout } from '../store/corrections.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Web } from './answer.ts'
import { pathTo, urls } from './urls.ts'
import { dayWriter } from './words.ts'

/** The dated notes that stand above an edition in the archive, one for each accepted correction, as HTML; empty: none. */
export async function archiveNotes({ app, pages, base }: Web, edition: EditionRow): Promise<string> {
  const accepted = (await correctionsAbout(app.db, edition.id)).filter(({ status }) => status === 'accepted')
  if (accepted.length === 0) return ''
  const day = dayWriter(app.digests.find((one) => one.name === edition.digest)?.zone)
  const { publication } = app.config
  const { light, dark } = paletteOf({ ...publication.colours, onBrand: '#ffffff', onAccent: '#ffffff' })
  const notes = accepted.map(({ kind, said, words, url, decidedAt }) => ({
    said,
    words: words ?? '',
    on: day(decidedAt ?? ''),
    article: kind !== 'gone' && /^https?:/i.test(url) ? [url] : [],
  }))
  const view = { title: 'Corrections', notes, light, dark, asSent: base + pathTo(urls.asSent, edition.id) }
  const { name, site: url, contact } = publication
  return pages.fill('archive-notes', view, { site: { name, url, contact }, base, staff: '', csrf: '', brake: '' })
}
