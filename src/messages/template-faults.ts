import type { ArticleView, EditionView, SectionView } from './view.ts'
import { readVisible } from './visible-text.ts'

/** The HTML or the plain text of a message, and its template file. */
type MessagePart = {
  file: string
  kind: 'HTML' | 'text'
  text: string
  hasLink(url: string): boolean
}

/**
 * Checks the visible HTML and the text of a rendered probe (see `toProbeEdition`) for the unsubscribe link, the postal
 * address, and each article, letter and correction. Each fault names the template file and what to write there.
 */
export function templateFaults(
  probe: EditionView,
  { html, text }: { html: string; text: string },
  files: { mjml: string; text: string },
): string[] {
  const seen = readVisible(html)
  if (seen.text === '') return [`${files.mjml}: its HTML is empty`]
  const textAddresses = addressesIn(text)
  const parts: MessagePart[] = [
    { file: files.mjml, kind: 'HTML', text: seen.text, hasLink: (url) => seen.links.has(url) },
    { file: files.text, kind: 'text', text: text.replace(/\s+/g, ' '), hasLink: (url) => textAddresses.has(url) },
  ]
  return parts.flatMap((part) =>
    [...footerFaults(part, probe), ...sectionFaults(part, probe), ...missingTextFaults(part, probe)].map(
      (fault) => `${part.file}: its ${part.kind} ${fault}`,
    ),
  )
}

/** The words of a text, with and without punctuation around them: an address may be in brackets, or end with one. */
function addressesIn(text: string): Set<string> {
  const words = new Set<string>()
  for (const word of text.split(/\s+/)) {
    const start = word.replace(/^[(<["']+/, '')
    words.add(word).add(start)
    for (let end = start.length; end > 0 && ')>]"\',.;'.includes(start[end - 1] ?? ' '); end--)
      words.add(start.slice(0, end - 1))
  }
  return words
}

function footerFaults({ kind, text, hasLink }: MessagePart, { links, publication }: EditionView): string[] {
  const faults: string[] = []
  if (!hasLink(links.leave))
    faults.push(
      `has no visible unsubscribe link: it needs {{> footer}}, or {{links.leave}}${kind === 'HTML' ? ' as the address of a link' : ''}`,
    )
  if (publication.address.some((line) => !text.includes(line)))
    faults.push('does not show the postal address: it needs {{> footer}}, or each line of {{publication.address}}')
  return faults
}

function sectionFaults(part: MessagePart, { sections }: EditionView): string[] {
  return sections.flatMap((section) => {
    const articles = articlesOf(section)
    const missing = articles.filter(({ url }) => !part.hasLink(url))
    if (missing.length === 0) return []
    const count =
      missing.length === articles.length ? `all ${missing.length}` : `${missing.length} of ${articles.length}`
    return [
      `leaves out ${count} articles of the section “${section.title}”: it needs {{> ${section.layout}}} for {{#if is.${camel(section.layout)}}}`,
    ]
  })
}

/** A template from before corrections and letters existed would lose them silently. */
function missingTextFaults({ text }: MessagePart, { blocks, corrections, sections }: EditionView): string[] {
  const isMissing = (words: string) => !text.includes(words)
  const ownBlocks = [...sections.flatMap((section) => section.blocks), ...blocks]
  const letters = sections.flatMap(({ letters }) => (letters ? [letters.first, ...letters.more] : []))
  const faults: string[] = []
  if (corrections.some(({ words }) => isMissing(words)))
    faults.push('does not show the corrections: it needs {{> corrections}} before the footer')
  if (letters.some(({ headline, paragraphs, name }) => [headline, ...paragraphs, name].some(isMissing)))
    faults.push('does not print whole letters: its part have-your-say needs {{> letter}} for each')
  if (ownBlocks.some(({ heading, paragraphs, link }) => [heading, ...paragraphs, link?.text ?? ''].some(isMissing)))
    faults.push(
      'does not show the editors’ own blocks: it needs {{> blocks}} before each section and before the footer',
    )
  return faults
}

function articlesOf({ lead, more }: SectionView): ArticleView[] {
  return lead ? [lead, ...more] : more
}

function camel(layout: string): string {
  return layout.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
}
