import { AppError } from '../../errors.ts'
import { tidyText } from '../../text/characters.ts'
import { splitParagraphs } from '../../text/paragraphs.ts'
import { capitalise } from '../../text/words.ts'
import { placeholderProblems } from '../jobs/subject-pattern.ts'
import type { EditChange, OwnBlock, OwnPicture } from './edit.ts'

/** Unvalidated edit input. Absent fields stay unchanged; an empty text removes. */
export type TypedEdit = {
  kind: string
  /** The id of an article or an existing block, or the name of a section. */
  target?: string | undefined
  section?: string | undefined
  articles?: string[] | undefined
  title?: string | undefined
  summary?: string | undefined
  text?: string | undefined
  heading?: string | undefined
  link?: string | undefined
  linkText?: string | undefined
  picture?: string | undefined
  alt?: string | undefined
  before?: string | undefined
}

/** The edition's data about the edit's target. `newId` is the id for a new block. */
export type EditContext = {
  headline: string
  /** The article's section, or the section that lists its feed. */
  section: string
  sections: string[]
  newId: string
  /** The current block, if the target is one. */
  block?: OwnBlock | undefined
  /** The current picture of the article. */
  picture?: OwnPicture | null
}

/** The maximum length of each field, in characters. Longer input is refused, not cut. */
export const maxEditLengths = {
  ...{ title: 200, summary: 600, introduction: 4000, subject: 150, preheader: 200 },
  ...{ heading: 150, text: 4000, linkText: 100, alt: 300, address: 2000 },
} as const

/** Validates one edit. Throws AppError `invalid`, whose message names the problem. */
export function readEdit(typed: TypedEdit, context: EditContext): EditChange {
  const { kind, target = '' } = typed
  const { headline } = context
  switch (kind) {
    case 'pin':
    case 'move': {
      const section = readSection(typed.section || (kind === 'pin' ? context.section : ''), context)
      return { kind, target, data: { headline, section } }
    }
    case 'drop':
    case 'exclude':
      return { kind, target, data: { headline } }
    case 'order': {
      const articles = [...new Set(typed.articles ?? [])]
      if (articles.length === 0) throw invalid('Name at least one article.')
      return { kind, target: readSection(target, context), data: { articles } }
    }
    case 'reword':
      return { kind, target, data: { headline, ...readWording(typed) } }
    case 'picture':
      if (typed.picture === undefined && typed.alt === undefined)
        throw invalid('Write the address of a picture, its description, or both.')
      return { kind, target, data: { headline, picture: readPicture(typed, context.picture ?? null) } }
    case 'introduction':
      return {
        kind,
        target: '',
        data: { text: readParagraphs('introduction', typed.text, maxEditLengths.introduction) },
      }
    case 'subject':
      return {
        kind,
        target: '',
        data: { text: readPattern(readRequired('subject', typed.text, maxEditLengths.subject)) },
      }
    case 'preheader':
      return {
        kind,
        target: '',
        data: { text: readPattern(readLine('preview text', typed.text, maxEditLengths.preheader)) },
      }
    case 'block':
      return { kind, target: target || context.newId, data: readBlock(typed, context) }
    default:
      throw invalid(`“${readLine('change', kind.slice(0, 50), 50)}” is no change that can be made.`)
  }
}

function readSection(name: string, { sections }: EditContext): string {
  if (sections.includes(name)) return name
  throw invalid(`Choose one of these sections: ${sections.join(', ')}.`)
}

function readWording({ title, summary }: TypedEdit): { title?: string; summary?: string } {
  if (title === undefined && summary === undefined) throw invalid('Write a headline, a summary, or both.')
  return {
    ...(title !== undefined && { title: readRequired('headline', title, maxEditLengths.title) }),
    ...(summary !== undefined && { summary: readLine('summary', summary, maxEditLengths.summary) }),
  }
}

function readBlock({ heading, text, before, ...typed }: TypedEdit, context: EditContext): OwnBlock {
  const { block } = context
  return {
    heading: readRequired('heading', heading ?? block?.heading, maxEditLengths.heading),
    text: readParagraphs('text', text ?? block?.text, maxEditLengths.text),
    link: readLink(typed, block?.link ?? null),
    picture: readPicture(typed, block?.picture ?? null),
    before: before ? readSection(before, context) : (before ?? block?.before ?? ''),
  }
}

/** The link, or null if its address is empty. */
function readLink(
  { link, linkText }: Pick<TypedEdit, 'link' | 'linkText'>,
  current: OwnBlock['link'],
): OwnBlock['link'] {
  const url = readAddress('link', link ?? current?.url)
  const currentText = current?.text === current?.url ? '' : current?.text
  const text = readLine('words of the link', linkText ?? currentText, maxEditLengths.linkText)
  if (url !== '') return { url, text: text || url }
  if (linkText) throw invalid('The link has words, but no address.')
  return null
}

/** The picture, or null if its address is empty. A new address takes no description from the current picture. */
function readPicture(
  { picture, alt }: Pick<TypedEdit, 'picture' | 'alt'>,
  current: OwnPicture | null,
): OwnPicture | null {
  const url = readAddress('picture', picture ?? current?.url)
  const currentAlt = url === current?.url ? current.alt : ''
  if (url !== '') return { url, alt: readLine('description of the picture', alt ?? currentAlt, maxEditLengths.alt) }
  if (alt) throw invalid('There is no picture to describe.')
  return null
}

/** An absolute http or https URL without user name and password, or an empty string. */
function readAddress(field: string, typed = ''): string {
  const text = readLine(`address of the ${field}`, typed, maxEditLengths.address)
  if (text === '') return ''
  const url = URL.canParse(text) && !text.includes(' ') ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw invalid(`The address of the ${field} must begin with https:// or http://, and hold no password.`)
  return url.href
}

function readRequired(field: string, typed: string | undefined, maxLength: number): string {
  const text = readLine(field, typed, maxLength)
  if (text === '') throw invalid(`The ${field} is empty.`)
  return text
}

/** A text with the placeholders of the job file, as in its `subject`. */
function readPattern(text: string): string {
  const [problem] = placeholderProblems(text)
  if (problem) throw invalid(`${capitalise(problem)}.`)
  return text
}

/** One line of plain text; empty if it has no visible characters. */
function readLine(field: string, typed: string | undefined, maxLength: number): string {
  return checkLength(field, tidyText(typed ?? ''), maxLength)
}

/** Paragraphs of one line each, separated by blank lines. */
function readParagraphs(field: string, typed: string | undefined, maxLength: number): string {
  return checkLength(field, splitParagraphs(typed ?? '', tidyText).join('\n\n'), maxLength)
}

function checkLength(field: string, text: string, maxLength: number): string {
  const length = [...text].length
  if (length <= maxLength) return text
  throw invalid(`The ${field} has ${length} characters. Shorten it to ${maxLength}.`)
}

function invalid(message: string): AppError {
  return new AppError('invalid', message)
}
