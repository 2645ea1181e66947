/**
 * What a template may show: plain data, decided beforehand. All text is plain text (the template escapes it),
 * all addresses are absolute http or https addresses; `links.contact` alone is a `mailto:`.
 */
export type EditionView = {
  language: string
  publication: {
    name: string
    tagline: string
    site: string
    contact: string
    /** One line each. */
    address: string[]
    logo: string | null
    colours: { brand: string; accent: string; onBrand: string; onAccent: string }
  }
  digest: { name: string; title: string }
  /** `date` for people ("Friday 27 November 2026"), `isoDate` for machines ("2026-11-27"). */
  edition: { number: number; date: string; isoDate: string }
  subject: string
  preheader: string
  /** Paragraphs of the editor's introduction; none if empty. */
  introduction: string[]
  sections: SectionView[]
  /** The editors' own blocks after the last section; often none. */
  blocks: BlockView[]
  /** Of what earlier editions said; often none. */
  corrections: CorrectionView[]
  /** `view` is empty where the digest has no public archive. */
  links: { site: string; view: string; preferences: string; leave: string; contact: string }
  /** One sentence: why this arrived. */
  why: string
}

export type SectionView = {
  name: string
  title: string
  layout: 'latest' | 'last-word' | 'focus' | 'tv' | 'have-your-say'
  /** `true` for the layout of that name, so that a template can ask `{{#if is.latest}}`. */
  is: { latest: boolean; lastWord: boolean; focus: boolean; tv: boolean; haveYourSay: boolean }
  /** The id of its heading; `#anchor` in the table of contents. */
  anchor: string
  text: string
  /** The first article, shown larger; absent when the section has none. */
  lead: ArticleView | null
  /** The others, in order. */
  more: ArticleView[]
  /** How many articles in all. */
  count: number
  /** Readers' letters, which stand before the articles; null when the section has none. */
  letters: { first: LetterView; more: LetterView[] } | null
  /** The editors' own blocks before the section; often none. */
  blocks: BlockView[]
}

/** A block of the editors' own. */
export type BlockView = {
  heading: string
  paragraphs: string[]
  link: { url: string; text: string } | null
  image: { url: string; alt: string } | null
}

export type LetterView = {
  headline: string
  paragraphs: string[]
  /** Of the writer, as it is printed. */
  name: string
  /** May be empty. */
  place: string
  /** When it came: "20 November 2026". */
  date: string
}

export type CorrectionView = {
  /** "No. 12, 20 November 2026": where it was said. */
  edition: string
  /** The headline as it was sent. */
  said: string
  /** What is right, in the editor's words. */
  words: string
  /** Null if it is gone. */
  article: { url: string } | null
}

export type ArticleView = {
  title: string
  url: string
  /** Standfirst: one to three sentences. May be empty. */
  summary: string
  author: string
  /** The name of the site that it comes from. */
  source: string
  /** "20 November 2026", or empty if the feed gave none. */
  date: string
  isoDate: string
  image: { url: string; alt: string } | null
  /** "4:05", or empty. */
  duration: string
  /** The whole text, where the section prints it; null elsewhere. */
  body: BodyView | null
}

/**
 * `html` is safe HTML, see `Body`. A template for MJML gets a mark in its place, which may stand between tags only;
 * a template for plain text has `text`.
 */
export type BodyView = { html: string; text: string; cut: boolean }
