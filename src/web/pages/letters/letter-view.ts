import type { Digest } from '../../../editions/digest.ts'
import {
  type LetterProblem,
  maxLengths,
  paragraphsOf,
  type TypedLetter,
} from '../../../editions/letters/read-letter.ts'
import type { Letter } from '../../../store/letters/letters.ts'
import { formatNumber } from '../../../text/words.ts'
import { wallTimeAt } from '../../../time/zone.ts'
import { dayFormatter } from '../../format.ts'
import type { Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'

/** A typed letter with the problems found in it. */
export type TypedForm = { letter: TypedLetter; digest: string; problems: (LetterProblem | DigestProblem)[] }
type DigestProblem = { field: 'digest'; message: string }

export function digestOf({ app }: Web, { digest }: Letter): Digest | undefined {
  return app.digests.find(({ name }) => name === digest)
}

export function digestTitle(web: Web, letter: Letter): string {
  return digestOf(web, letter)?.title ?? letter.digest
}

export function editionLabel(web: Web, letter: Letter): string {
  return `${digestTitle(web, letter)} ${letter.number ?? ''}`.trim()
}

export function toItem(web: Web, letter: Letter) {
  const { id, headline, text, name, place, receivedAt, enteredBy, editedBy, editionId, withdrawnBy } = letter
  return {
    headline,
    paragraphs: paragraphsOf(text),
    name,
    place,
    received: [dayFormatter(digestOf(web, letter)?.zone)(receivedAt)],
    digest: digestTitle(web, letter),
    entered: `Added by ${enteredBy}${editedBy === null ? '' : `, edited by ${editedBy}`}`,
    withdrawn: withdrawnBy ?? '',
    edition:
      editionId === null
        ? []
        : [{ name: editionLabel(web, letter), href: web.base + pathTo(urls.studioEdition, editionId) }],
    edit: web.base + pathTo(urls.letter, id),
    withdrawal: web.base + pathTo(urls.withdrawal, id),
    version: String(letter.version),
  }
}

export function toTypedLetter(letter: Letter, digest: Digest | undefined): TypedLetter {
  const { headline, text, name, place, receivedAt } = letter
  return { headline, text, name, place, received: wallTimeAt(digest?.zone ?? 'UTC', receivedAt).date }
}

const emptyForm: TypedForm = {
  letter: { headline: '', text: '', name: '', place: '', received: '' },
  digest: '',
  problems: [],
}

/** A conflict with a saved letter; `button` saves anyway and sends `field`. */
export type Conflict = { message: string; other: Letter; button: string; field: { name: string; value: string } }

/** `version` is that of the letter being edited; absent for a new letter. */
type LetterForm = {
  action: string
  button: string
  digests: Digest[]
  typed: TypedForm | undefined
  version?: number
  conflict?: ConflictView | undefined
}

type ConflictView = ReturnType<typeof conflictView>

/** With the whole saved letter, so that the editor can compare both. */
export function conflictView(web: Web, { message, other, button, field }: Conflict) {
  return { message, button, field, ...toItem(web, other) }
}

/** Every field with its typed value and its problems. */
export function formView({ action, button, digests, typed = emptyForm, version, conflict }: LetterForm) {
  const { letter, problems, digest } = typed
  const messages = Object.fromEntries(
    (['digest', 'headline', 'text', 'name', 'place', 'received'] as const).map((field) => [
      field,
      problems.filter((one) => one.field === field).map(({ message }) => message),
    ]),
  )
  const labels = {
    digest: 'Newsletter',
    headline: 'Headline',
    text: 'Letter',
    name: 'Name',
    place: 'Place',
    received: 'Received on',
  }
  return {
    action,
    button,
    version: version === undefined ? '' : String(version),
    conflict: conflict ? [conflict] : [],
    letter,
    problems: messages,
    summary: problems.map(({ field, message }) => ({ id: field, label: labels[field], message })),
    digests: digests.map(({ name, title }) => ({ name, title, selected: name === digest })),
    limits: Object.fromEntries(Object.entries(maxLengths).map(([field, limit]) => [field, formatNumber(limit)])),
  }
}
