import type { Config } from '../config/config.ts'
import { directionOf } from '../describe/language.ts'
import { isolateValues, translate } from '../describe/translate.ts'
import { languageOf } from '../editions/digest.ts'
import {
  articlesIn,
  type Draft,
  type DraftArticle,
  type DraftCorrection,
  type DraftLetter,
  type DraftSection,
  lettersIn,
} from '../editions/edition.ts'
import type { OwnBlock } from '../editions/edits/edit.ts'
import { fillPattern } from '../editions/jobs/subject-pattern.ts'
import { pictureOf } from '../editions/pictures/placement.ts'
import { firstWords } from '../feeds/markup/sentences.ts'
import { editionLinks } from '../mail/links.ts'
import type { WholeArticle } from '../store/articles/article.ts'
import { trustedDate } from '../store/articles/forgotten.ts'
import { hasVisibleText } from '../text/characters.ts'
import { withoutOuterIsolate } from '../text/direction.ts'
import { bodyOneLine } from './body/body-text.ts'
import { legibleColour } from './palette.ts'
import { PictureViews } from './picture-views.ts'
import type { ArticleView, BlockView, CorrectionView, EditionView, LetterView, SectionView } from './view.ts'

type Publishing = Pick<Config, 'publication' | 'web'>

/** Converts a draft to the data for templates. Dates are in the digest's language and zone. */
export function toView(draft: Draft, { publication, web }: Publishing): EditionView {
  const { edition, digest, sections, corrections, slot, edited } = draft
  const language = languageOf(digest, publication)
  const dates = dateWriter(language, digest.zone)
  const blocks = placeBlocks(edited?.blocks ?? [], digest, sections)
  const pictures = new PictureViews(draft, web.url)
  const views = sections.map((section) => toSectionView(section, { dates, blocks, pictures }))
  const date = edition.datedAt ?? edition.dueAt
  const articles = articlesIn(sections)
  const titles = articles.map(titleOf).filter(hasVisibleText)
  const subject = edited?.subject ?? digest.subject
  const texts = {
    title: digest.title,
    number: String(edition.number),
    date: dates.short(date),
    lead: titles[0] ?? (subject.includes('{title}') ? '' : digest.title),
    second: titles[1] ?? '',
    third: titles[2] ?? '',
    count: String(articles.length),
  }
  const values = isolateValues(texts, directionOf(language))
  const { name, tagline, site, contact, logo, colours } = publication
  return {
    language,
    publication: {
      name,
      tagline,
      site,
      contact,
      address: publication.address
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
      logo: logo ? pictures.logo(logo) : null,
      colours: {
        ...colours,
        onBrand: legibleColour('#ffffff', colours.brand),
        onAccent: legibleColour('#ffffff', colours.accent),
      },
    },
    digest: { name: digest.name, title: digest.title },
    edition: { number: edition.number, date: dates.long(date), isoDate: dates.iso(date) },
    subject: withoutOuterIsolate(fillPattern(subject, values)) || digest.title,
    preheader: withoutOuterIsolate(fillPattern(edited?.preheader ?? digest.preheader, values)),
    introduction: (digest.introduction ?? '')
      .split(/\n\s*\n/)
      .map((text) => text.trim())
      .filter(Boolean),
    sections: views,
    blocks: (blocks.get('') ?? []).map((block) => toBlockView(block, pictures)),
    corrections: corrections.map((correction) => toCorrectionView(correction, dates, language)),
    links: {
      site,
      contact: `mailto:${contact}`,
      ...editionLinks(web.url, edition.id, slot),
      ...(digest.archive === 'off' && { view: '' }),
    },
    why: translate(language, 'email.why', { digest: digest.title, publication: name }),
  }
}

/** Articles stored by earlier versions may have an invisible title. */
function titleOf({ title, summary, url }: WholeArticle): string {
  return [title, firstWords(summary)].find(hasVisibleText) ?? url
}

/** The blocks by the section that they precede, or the next one if it is left out; the empty key is the end. */
function placeBlocks(blocks: OwnBlock[], digest: Draft['digest'], printed: DraftSection[]): Map<string, OwnBlock[]> {
  const names = digest.sections.map(({ name }) => name)
  const isPrinted = (name: string) => printed.some(({ section }) => section.name === name)
  const placeOf = ({ before }: OwnBlock) => {
    const index = names.indexOf(before)
    return index === -1 ? '' : (names.slice(index).find(isPrinted) ?? '')
  }
  return Map.groupBy(blocks, placeOf)
}

function toBlockView({ heading, text, link, picture }: OwnBlock, pictures: PictureViews): BlockView {
  const image = picture && pictures.view({ image: picture, role: 'wide' })
  return { heading, paragraphs: text.split('\n\n').filter(Boolean), link, image }
}

function toSectionView(
  { section, items }: DraftSection,
  { dates, blocks, pictures }: { dates: DateWriter; blocks: Map<string, OwnBlock[]>; pictures: PictureViews },
): SectionView {
  const { name, title, layout } = section
  const whole = section.body === 'full'
  const articles = articlesIn([{ items }])
  const [lead = null, ...more] = articles.map((article, index) => ({
    ...toArticleView(article, whole, dates),
    image: pictures.view(pictureOf(article, layout, index)),
  }))
  const [first, ...others] = lettersIn([{ items }]).map((letter) => toLetterView(letter, dates))
  return {
    name,
    title,
    layout,
    is: {
      latest: layout === 'latest',
      lastWord: layout === 'last-word',
      focus: layout === 'focus',
      tv: layout === 'tv',
      haveYourSay: layout === 'have-your-say',
    },
    anchor: name,
    text: section.text ?? '',
    lead,
    more,
    count: articles.length,
    letters: first ? { first, more: others } : null,
    blocks: (blocks.get(name) ?? []).map((block) => toBlockView(block, pictures)),
  }
}

function toCorrectionView(
  { kind, said, url, words, number, dueAt }: DraftCorrection,
  dates: DateWriter,
  language: string,
): CorrectionView {
  const date = dates.short(dueAt)
  return {
    edition: number === null ? date : translate(language, 'email.number-and-date', { number, date }),
    said,
    words: words ?? '',
    article: kind === 'gone' ? null : { url },
  }
}

function toLetterView({ headline, text, name, place, receivedAt }: DraftLetter, dates: DateWriter): LetterView {
  return { headline, paragraphs: text.split('\n\n'), name, place, date: dates.short(receivedAt) }
}

function toArticleView(article: DraftArticle, whole: boolean, dates: DateWriter): Omit<ArticleView, 'image'> {
  const { url, author, source, video } = article
  const publishedAt = trustedDate(article)
  const body = whole ? article.body : null
  return {
    title: titleOf(article),
    url,
    summary: body && startsWithSummary(body.html, article.summary) ? '' : article.summary,
    author,
    source,
    date: publishedAt ? dates.short(publishedAt) : '',
    isoDate: publishedAt ? dates.iso(publishedAt) : '',
    duration: video?.seconds ? durationOf(video.seconds) : '',
    alsoIn: article.alsoIn ?? [],
    alsoInMore: article.alsoInMore ?? 0,
    body: body && { html: body.html, text: '', cut: body.cut },
  }
}

/** The summary of a feed without summaries is the start of the text, and is not printed twice. */
function startsWithSummary(html: string, summary: string): boolean {
  const words = onlyLetters(summary)
  return (
    words === '' ||
    onlyLetters(bodyOneLine(html))
      .slice(0, words.length + maxLettersBefore)
      .includes(words)
  )
}

/** Letters of a text that may stand before its summary: its title, a name, a caption. */
const maxLettersBefore = 200

function onlyLetters(text: string): string {
  return text
    .slice(0, 2000)
    .toLowerCase()
    .replace(/\P{L}+/gu, '')
}

/** "4:05" for 245 seconds, "1:02:05" for 3,725. */
function durationOf(seconds: number): string {
  const total = Math.round(seconds)
  const parts = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60]
  const shown = parts[0] ? parts : parts.slice(1)
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}

type DateWriter = Record<'long' | 'short' | 'iso', (instant: string) => string>

function dateWriter(language: string, timeZone: string): DateWriter {
  const formatter = (options: Intl.DateTimeFormatOptions, locale = language) => {
    const format = new Intl.DateTimeFormat(locale, { ...options, timeZone })
    return (instant: string) => format.format(new Date(instant))
  }
  return {
    long: formatter({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
    short: formatter({ day: 'numeric', month: 'long', year: 'numeric' }),
    iso: formatter({ year: 'numeric', month: '2-digit', day: '2-digit' }, 'sv-SE'),
  }
}
