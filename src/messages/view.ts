/**
 * The data of a template. Texts are plain text, which the template escapes; addresses are absolute http or https
 * addresses, except `links.contact`, which is a `mailto:`.
 */
export type EditionView = {
  language: string
  publication: {
    name: string
    tagline: string
    site: string
    contact: string
    /** Lines. */
    address: string[]
    /** Its address. */
    logo: string | null
    colours: { brand: string; accent: string; onBrand: string; onAccent: string }
  }
  digest: { name: string; title: string }
  /** `date` for people ("Friday 27 November 2026"), `isoDate` for machines ("2026-11-27"). */
  edition: { number: number; date: string; isoDate: string }
  subject: string
  preheader: string
  /** Paragraphs of the editor's introduction. */
  introduction: string[]
  sections: SectionView[]
  /** The editors' own blocks after the last section. */
  blocks: BlockView[]
  /** Of earlier editions. */
  corrections: CorrectionView[]
  /** `view` is empty if the digest has no public archive. */
  links: { site: string; view: string; preferences: string; leave: string; contact: string }
  /** One sentence: why the subscriber gets this email. */
  why: string
}

export type SectionView = {
  name: string
  title: string
  layout: 'latest' | 'last-word' | 'focus' | 'tv' | 'have-your-say'
  /** `true` for the layout of that name, so that a template can test `{{#if is.latest}}`. */
  is: { latest: boolean; lastWord: boolean; focus: boolean; tv: boolean; haveYourSay: boolean }
  /** The id of its heading; `#anchor` in the table of contents. */
  anchor: string
  text: string
  /** The first article, shown larger; null if there is none. */
  lead: ArticleView | null
  /** The other articles, in order. */
  more: ArticleView[]
  /** Number of articles. */
  count: number
  /** Readers' letters, printed before the articles; null if there are none. */
  letters: { first: LetterView; more: LetterView[] } | null
  /** The editors' own blocks before the section. */
  blocks: BlockView[]
}

/** A picture with its size in CSS pixels; `height` is null for a linked picture whose shape is unknown. */
export type PictureView = { url: string; alt: string; width: number; height: number | null }

/** A block that editors wrote themselves. */
export type BlockView = {
  heading: string
  paragraphs: string[]
  link: { url: string; text: string } | null
  image: PictureView | null
}

export type LetterView = {
  headline: string
  paragraphs: string[]
  /** The writer's name to print. */
  name: string
  /** May be empty. */
  place: string
  /** The day it arrived: "20 November 2026". */
  date: string
}

export type CorrectionView = {
  /** The edition that is corrected: "No. 12, 20 November 2026". */
  edition: string
  /** The headline as it was sent. */
  said: string
  /** The editor's correction. */
  words: string
  /** Null if the page is gone. */
  article: { url: string } | null
}

export type ArticleView = {
  title: string
  url: string
  /** Standfirst: one to three sentences. May be empty. */
  summary: string
  author: string
  /** The name of its site. */
  source: string
  /** "20 November 2026", or empty if the feed gave none. */
  date: string
  isoDate: string
  image: PictureView | null
  /** "4:05", or empty. */
  duration: string
  /** The first other sources with the same story, where the section names them, and how many more there are. */
  alsoIn: { source: string; url: string }[]
  alsoInMore: number
  /** The whole text if the section prints it, else null. */
  body: BodyView | null
}

/**
 * `html` is safe HTML, see `Body`; an MJML template gets a mark instead, which must be between tags. `text` is for the
 * plain text template.
 */
export type BodyView = { html: string; text: string; cut: boolean }
