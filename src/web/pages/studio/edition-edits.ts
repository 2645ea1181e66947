import { describeLine } from '../../../describe/describe.ts'
import { draftOf } from '../../../editions/compose/draft.ts'
import type { Digest } from '../../../editions/digest.ts'
import { articlesIn, type Draft } from '../../../editions/edition.ts'
import { editReason } from '../../../editions/edits/edit.ts'
import { canEdit } from '../../../editions/edits/edit-edition.ts'
import type { EditStatus } from '../../../editions/edits/edit-status.ts'
import { type ListedEdit, listEdits } from '../../../editions/edits/list-edits.ts'
import { maxEditLengths, type TypedEdit } from '../../../editions/edits/read-edit.ts'
import type { EditionRow } from '../../../store/schema.ts'
import { momentFormatter } from '../../format.ts'
import type { Fields, Web } from '../../response.ts'
import { withSectionTitles } from './section-titles.ts'

/** The current texts of an edition's articles, for the forms that change them. */
export type ArticleForms = {
  /** By article id; letters have none. */
  wordings: Map<string, { title: string; summary: string }>
  pinned: Set<string>
  sections: { name: string; title: string }[]
  /** The fields of the refused form. */
  typed: Fields
}

type Viewer = { staff: string | undefined; typed: Fields | undefined }

/** The editors' changes, newest first, and the forms for more; no forms if the edition can no longer be changed. */
export async function editView(
  { app }: Web,
  edition: EditionRow,
  digest: Digest | undefined,
  { staff, typed = {} }: Viewer,
) {
  const edits = await listEdits(app.db, edition, digest)
  const draft = digest && canEdit(edition) ? await draftOf(app, edition.id, digest) : undefined
  const moment = momentFormatter(digest?.zone)
  const changes = edits.map((listed) => ({
    ...changeItem(listed, digest, staff),
    at: moment(listed.edit.at),
    mayUndo: listed.edit.undoneAt === null && (draft !== undefined || listed.edit.kind === 'exclude'),
  }))
  return {
    mayEdit: draft !== undefined,
    forms: draft && articleForms(draft, edits, typed),
    changes: changes.toReversed(),
    texts: draft ? textForms(draft, typed) : [],
  }
}

function articleForms({ sections, digest }: Draft, edits: ListedEdit[], typed: Fields): ArticleForms {
  const articles = articlesIn(sections)
  const pins = edits.filter(({ edit, status }) => status === 'applies' && (edit.kind === 'pin' || edit.kind === 'move'))
  return {
    wordings: new Map(articles.map(({ id, title, summary }) => [id, { title, summary }])),
    pinned: new Set(pins.map(({ edit }) => edit.target)),
    sections: digest.sections.map(({ name, title }) => ({ name, title })),
    typed,
  }
}

function textForms({ edition, digest, edited }: Draft, typed: Fields) {
  const forms = [
    { kind: 'introduction', label: 'Introduction', isLong: true, value: digest.introduction ?? '' },
    { kind: 'subject', label: 'Subject', isLong: false, value: edited?.subject ?? edition.subject },
  ] as const
  return forms.map((form) => {
    const isOpen = typed.kind === form.kind
    const value = isOpen ? (typed.text ?? '') : form.value
    return { ...form, value, isOpen, maxLength: maxEditLengths[form.kind], button: `Save the ${form.kind}` }
  })
}

const notes: Record<EditStatus, string> = {
  applies: '',
  replaced: 'Replaced by a later change.',
  gone: 'Has no effect: the article or section is not in this edition.',
  undone: '',
}

function changeItem({ edit, status }: ListedEdit, digest: Digest | undefined, staff: string | undefined) {
  const name = (who: string | null) => (who === staff ? 'You' : (who ?? ''))
  const note = status === 'undone' ? `${name(edit.undoneBy)} undid this change.` : notes[status]
  return {
    number: edit.number,
    what: describeLine(withSectionTitles(editReason(edit), digest)),
    who: name(edit.who),
    note,
  }
}

/** The forms of one article: pin, move, leave out, reword. */
export function articleEditForm(
  forms: ArticleForms | undefined,
  { id, isChosen, isLetter, section }: { id: string; isChosen: boolean; isLetter: boolean; section: string },
) {
  if (!forms) return []
  const { typed, wordings, pinned, sections } = forms
  const isTyped = (kind: string) => typed.kind === kind && typed.article === id
  const wording = wordings.get(id)
  const words = isTyped('reword') ? { title: typed.title ?? '', summary: typed.summary ?? '' } : wording
  return [
    {
      id,
      isPinned: pinned.has(id),
      mayDrop: isChosen,
      mayPin: !isLetter && !pinned.has(id),
      pinLabel: isChosen ? 'Keep in this edition' : 'Include',
      sections: sections.map((one) => ({ ...one, selected: one.name === section })),
      reword: isChosen && words ? [{ ...words, isOpen: isTyped('reword') }] : [],
      maxLength: maxEditLengths,
    },
  ]
}

/** The edit in a form's fields. An unchanged headline or summary is left out. */
export function typedEdit(fields: Fields, wording: { title: string; summary: string } | undefined): TypedEdit {
  const { kind = '', article, section, title, summary, text } = fields
  const isDrop = kind === 'drop' && fields.never === 'yes'
  return {
    kind: isDrop ? 'exclude' : kind,
    target: article,
    section,
    text,
    title: title === wording?.title ? undefined : title,
    summary: summary === wording?.summary ? undefined : summary,
  }
}
