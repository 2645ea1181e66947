import { activeEdits, type Edit, subjectOfEdit } from './edit.ts'

/** `replaced`: a later edit overrides it. `gone`: it has no effect, as its target is missing from the edition. */
export type EditStatus = 'applies' | 'replaced' | 'gone' | 'undone'

/** The place of an article or letter in the edition; `position` is null if it is not included. */
export type ArticlePlace = { itemId: string; section: string; position: number | null }

/** The status of every edit of an edition, by edit id. `sections` are the digest's section names. */
export function editStatuses(edits: Edit[], places: ArticlePlace[], sections: string[]): Map<string, EditStatus> {
  const active = activeEdits(edits)
  const byId = new Map(places.map((place) => [place.itemId, place]))
  return new Map(edits.map((edit) => [edit.id, statusOf(edit, active, { byId, sections })]))
}

type Contents = { byId: Map<string, ArticlePlace>; sections: string[] }

function statusOf(edit: Edit, active: Edit[], contents: Contents): EditStatus {
  if (edit.undoneAt !== null) return 'undone'
  const later = active.filter((one) => one.number > edit.number && subjectOfEdit(one) === subjectOfEdit(edit))
  if (isReplaced(edit, later)) return 'replaced'
  return isEffective(edit, contents) ? 'applies' : 'gone'
}

function isReplaced(edit: Edit, later: Edit[]): boolean {
  if (edit.kind !== 'reword') return later.length > 0
  const fields = later.flatMap((one) => (one.kind === 'reword' ? Object.keys(one.data) : []))
  return (['title', 'summary'] as const).every((field) => edit.data[field] === undefined || fields.includes(field))
}

function isEffective(edit: Edit, { byId, sections }: Contents): boolean {
  const place = byId.get(edit.target)
  switch (edit.kind) {
    case 'pin':
    case 'move':
      return isHeldIn(place, edit.data.section)
    case 'drop':
    case 'exclude':
      return place !== undefined && place.position === null
    case 'reword':
    case 'picture':
      return place?.position != null
    case 'order':
      return edit.data.articles.some((id) => isHeldIn(byId.get(id), edit.target))
    case 'block':
      return edit.data.before === '' || sections.includes(edit.data.before)
    default:
      return true
  }
}

function isHeldIn(place: ArticlePlace | undefined, section: string): boolean {
  return place?.position != null && place.section === section
}
