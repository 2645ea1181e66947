import type { ArticleView, EditionView, SectionView } from './view.ts'
import { readVisible } from './visible-text.ts'

/** One half of a message as it is read, and the file that it was made from. */
type MessagePart = {
  file: string
  kind: 'HTML' | 'text'
  text: string
  hasLink(url: string): boolean
}

/**
 * What a rendered message lacks that every edition must have: the link to leave, the postal address, and each article,
 * letter and correction that it holds, in the HTML and in the text. Judged by what a reader sees of a probe; see
 * `probeOf`. A title in the contents list does not count for an article. Each fault names the template's file and what to
 * write there.
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
  return parts.flatMap((half) =>
    [...footerFaults(half, probe), ...sectionFaults(half, probe), ...missingTextFaults(half, probe)].map(
      (fault) => `${half.file}: its ${half.kind} ${fault}`,
    ),
  )
}

/** The words of a text, and each without the marks around it: an address may stand in brackets, or end with one itself. */
function addressesIn(text: string): Set<string> {
  const words = new Set<string>()
  for (const word of text.split(/\s+/)) {
    const opened = word.replace(/^[(<["']+/, '')
    words.add(word).add(opened)
    for (let end = opened.length; end > 0 && ')>]"\',.;'.includes(opened[end - 1] ?? ' '); end--)
      words.add(opened.slice(0, end - 1))
  }
  return words
}

function footerFaults({ kind, text, hasLink }: MessagePart, { links, publication }: EditionView): string[] {
  const faults: string[] = []
  if (!hasLink(links.leave))
    faults.push(
      `has no unsubscribe link that can be seen: it needs {{> footer}}, or {{links.leave}}${kind === 'HTML' ? ' as the address of a link' : ''}`,
    )
  if (publication.address.some((line) => !text.includes(line)))
    faults.push('does not show the postal address: it needs {{> footer}}, or each line of {{publication.address}}')
  return faults
}

function sectionFaults(half: MessagePart, { sections }: EditionView): string[] {
  return sections.flatMap((section) => {
    const articles = articlesOf(section)
    const lost = articles.filter(({ url }) => !half.hasLink(url))
    if (lost.length === 0) return []
    const count = lost.length === articles.length ? `all ${lost.length}` : `${lost.length} of ${articles.length}`
    return [
      `leaves out ${count} articles of the section “${section.title}”: it needs {{> ${section.layout}}} for {{#if is.${camel(section.layout)}}}`,
    ]
  })
}

/** A template that somebody wrote before there were corrections, or letters, would lose them in silence. */
function missingTextFaults({ text }: MessagePart, { blocks, corrections, sections }: EditionView): string[] {
  const isLost = (words: string) => !text.includes(words)
  const ownBlocks = [...sections.flatMap((section) => section.blocks), ...blocks]
  const letters = sections.flatMap(({ letters }) => (letters ? [letters.first, ...letters.more] : []))
  const faults: string[] = []
  if (corrections.some(({ words }) => isLost(words)))
    faults.push('does not show the corrections: it needs {{> corrections}} before the footer')
  if (letters.some(({ headline, paragraphs, name }) => [headline, ...paragraphs, name].some(isLost)))
    faults.push('does not print the letters whole: its part have-your-say needs {{> letter}} for each')
  if (ownBlocks.some(({ heading, paragraphs, link }) => [heading, ...paragraphs, link?.text ?? ''].some(isLost)))
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
