import type { Candidate } from '../../store/articles/articles.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'
import type { Instant } from '../../time/clock.ts'
import { type Choice, itemOf } from '../choice/choice.ts'
import { type Pending, select } from '../choice/select.ts'
import type { Digest } from '../digest.ts'
import type { Draft, DraftArticle, EditedTexts } from '../edition.ts'
import { type Edit, type EditChange, newestBySubject, type OwnPicture } from './edit.ts'

/**
 * Chooses the content of an edition by the rules of its digest and by the editors' pins, moves, drops and orders. Pure and
 * idempotent.
 */
export function selectEdited(pending: Pending, digest: Digest, now: Instant, edits: Edit[]): Choice[] {
  if (edits.length === 0) return select(pending, digest, now)
  const newest = newestBySubject(edits)
  const articles = pending.articles.map((one) => withDecision(one, newest.get(`place ${one.id}`), digest))
  const letters = pending.letters.map((one) => withDrop(one, newest.get(`place ${one.id}`)))
  return inEditedOrder(select({ articles, letters }, digest, now), newest)
}

/** Applies a drop, the only edit that letters support. Editors reword letters on the letters page. */
function withDrop(letter: PendingLetter, edit: Edit | undefined): PendingLetter {
  return edit?.kind === 'drop' ? { ...letter, decision: { kind: 'drop', who: edit.who } } : letter
}

/** The article with the editor's decision about its place. A pin to a section that the digest no longer has is ignored. */
function withDecision(article: Candidate, edit: Edit | undefined, { sections }: Digest): Candidate {
  if (edit?.kind === 'drop' || edit?.kind === 'exclude')
    return { ...article, decision: { kind: edit.kind, who: edit.who } }
  if (edit?.kind !== 'pin' && edit?.kind !== 'move') return article
  const { section } = edit.data
  const isKnown = sections.some(({ name }) => name === section)
  return isKnown ? { ...article, decision: { kind: 'pin', who: edit.who, section } } : article
}

/** Moves the articles named by an `order` edit to the top of their section, in that order. */
function inEditedOrder(choices: Choice[], newest: Map<string, Edit>): Choice[] {
  const orders = [...newest.values()].filter((edit) => edit.kind === 'order')
  const positions = new Map<string, number>()
  for (const { target, data } of orders) {
    const held = choices.filter(({ section, position }) => section === target && position !== null)
    const inOrder = held
      .toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0))
      .toSorted((a, b) => rankOf(a, data.articles) - rankOf(b, data.articles))
    for (const [index, choice] of inOrder.entries()) positions.set(itemOf(choice).id, index + 1)
  }
  return choices.map((choice) => {
    const position = choice.position === null ? undefined : positions.get(itemOf(choice).id)
    return position === undefined ? choice : { ...choice, position }
  })
}

function rankOf(choice: Choice, ids: string[]): number {
  const index = ids.indexOf(itemOf(choice).id)
  return index === -1 ? ids.length : index
}

/** The draft with the editors' wording, pictures, texts and blocks. Pure and idempotent. */
export function applyEdits(draft: Draft, edits: Edit[]): Draft {
  if (edits.length === 0) return draft
  const sections = draft.sections.map((section) => ({
    ...section,
    items: section.items.map((item) =>
      item.kind === 'article' ? { ...item, article: editedArticle(item.article, edits) } : item,
    ),
  }))
  const newest = [...newestBySubject(edits).values()]
  const text = (kind: EditChange['kind']) =>
    newest.flatMap((edit) =>
      edit.kind === kind && 'text' in edit.data && edit.target === '' ? [edit.data.text] : [],
    )[0]
  const [introduction, subject, preheader] = [text('introduction'), text('subject'), text('preheader')]
  const edited: EditedTexts = {
    editIds: edits.map(({ id }) => id),
    blocks: newest.flatMap((edit) => (edit.kind === 'block' ? [edit.data] : [])),
    ...(subject !== undefined && { subject }),
    ...(preheader !== undefined && { preheader }),
  }
  const digest = introduction === undefined ? draft.digest : { ...draft.digest, introduction }
  return { ...draft, digest, sections, edited }
}

function editedArticle(article: DraftArticle, edits: Edit[]): DraftArticle {
  let edited = article
  for (const edit of edits) {
    if (edit.target !== article.id) continue
    if (edit.kind === 'picture') edited = withPicture(edited, withoutSize(edit.data.picture))
    if (edit.kind === 'reword') edited = reworded(edited, edit.data)
  }
  return edited
}

/** An editor's picture, or none, counts in the place of a portrait too. */
function withPicture({ portrait: _, ...article }: DraftArticle, image: DraftArticle['image']): DraftArticle {
  return { ...article, image }
}

function reworded(article: DraftArticle, { title, summary }: { title?: string; summary?: string }): DraftArticle {
  return {
    ...article,
    ...(title !== undefined && { title, feedTitle: article.feedTitle ?? article.title }),
    ...(summary !== undefined && { summary }),
  }
}

function withoutSize(picture: OwnPicture | null) {
  return picture && { ...picture, width: null, height: null }
}
