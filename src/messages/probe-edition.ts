import type { ArticleView, BlockView, CorrectionView, EditionView, LetterView, SectionView } from './view.ts'

/**
 * Replaces the texts of feeds and readers with harmless words, and gives each article its own address. Empty values stay
 * empty, so the template takes the same branches; a fault in the result is the template's, not that of a text.
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
    image: image && { ...image, url: 'https://probe.invalid/picture.png', alt: word(image.alt) },
    duration: word(one.duration),
    alsoIn: one.alsoIn.map(({ source }) => ({ source: word(source), url: 'https://probe.invalid/also' })),
    alsoInMore: one.alsoInMore,
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
    image: image && { ...image, url: 'https://probe.invalid/picture.png', alt: word(image.alt) },
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
