import type { ArticleView, BlockView, CorrectionView, EditionView, LetterView, SectionView } from './view.ts'

/**
 * The same edition with harmless words in place of what feeds and readers wrote, each article with an address of its own.
 * What is empty stays empty, so a template takes the same turns. What it shows of this is the template's doing alone:
 * no article can hold the postal address, share a link with another, or have a title that shows nothing.
 */
export function toProbeEdition(view: EditionView): EditionView {
  let articles = 0
  let texts = 0
  const marked = (text: string) => text && `probetext${++texts}end`
  const article = (one: ArticleView): ArticleView => probeArticle(one, ++articles)
  return {
    ...view,
    subject: word(view.subject),
    preheader: word(view.preheader),
    sections: view.sections.map((section) => probeSection(section, article, marked)),
    blocks: view.blocks.map((block) => probeBlock(block, marked)),
    corrections: view.corrections.map((correction) => probeCorrection(correction, marked)),
  }
}

const word = (text: string) => text && 'words'

function probeArticle({ image, body, ...one }: ArticleView, number: number): ArticleView {
  return {
    title: `Article ${number}`,
    url: `https://probe.invalid/article-${number}`,
    summary: word(one.summary),
    author: word(one.author),
    source: word(one.source),
    date: word(one.date),
    isoDate: one.isoDate,
    image: image && { url: 'https://probe.invalid/picture.png', alt: word(image.alt) },
    duration: word(one.duration),
    body: body && { ...body, html: '<p>words</p>' },
  }
}

type Marked = (text: string) => string

function probeSection(section: SectionView, article: (one: ArticleView) => ArticleView, marked: Marked): SectionView {
  const { lead, more, letters } = section
  return {
    ...section,
    lead: lead && article(lead),
    more: more.map(article),
    letters: letters && {
      first: probeLetter(letters.first, marked),
      more: letters.more.map((letter) => probeLetter(letter, marked)),
    },
    blocks: section.blocks.map((block) => probeBlock(block, marked)),
  }
}

function probeBlock({ heading, paragraphs, link, image }: BlockView, marked: Marked): BlockView {
  return {
    heading: marked(heading),
    paragraphs: paragraphs.map(marked),
    link: link && { url: 'https://probe.invalid/block', text: marked(link.text) },
    image: image && { url: 'https://probe.invalid/picture.png', alt: word(image.alt) },
  }
}

function probeLetter({ headline, paragraphs, name, place, date }: LetterView, marked: Marked): LetterView {
  return {
    headline: marked(headline),
    paragraphs: paragraphs.map(marked),
    name: marked(name),
    place: word(place),
    date: word(date),
  }
}

function probeCorrection(correction: CorrectionView, marked: Marked): CorrectionView {
  const { said, words, article } = correction
  return {
    ...correction,
    said: word(said),
    words: marked(words),
    article: article && { url: 'https://probe.invalid/corrected' },
  }
}
