import { createHash } from 'node:crypto'
import { AppError } from '../errors.ts'
import { addVariant, editionById, markChoice, moveEdition, note } from '../store/editions.ts'
import { newId } from '../store/id.ts'
import { claimArticles } from '../store/ledger.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { cutArticle } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import { type ComposeNeeds, chooseAgain, draftOf } from './compose.ts'
import type { Digest } from './digest.ts'
import { type Draft, editionName, type Render, type Rendered } from './edition.ts'
import { type Check, lateFindings } from './late.ts'

/** Every time that an article was taken by another edition, or was gone. */
const most = 10

export type SealNeeds = ComposeNeeds & {
  render: Render
  /** Asks for the page of an article once more; without it nothing is asked. */
  check?: Check
}

/**
 * Freezes a composed edition: renders it once, claims its articles and keeps the bytes, in one transaction. From here
 * on preview, test, archive and delivery read these bytes. An edition held for being thin is sealed as well, so that
 * the editor decides about the very thing. Sealing a sealed edition changes nothing.
 */
export async function seal(needs: SealNeeds, id: string, digest: Digest): Promise<EditionRow> {
  const asked = new Map<string, string>()
  for (let attempt = 1; attempt <= most; attempt++) {
    const draft = await draftOf(needs, id, digest)
    if (!draft) throw new AppError('missing', `there is no edition ${id} to seal`)
    if (draft.edition.status !== 'composed') return draft.edition
    if (digest.lateCheck && needs.check && (await cutWhatIsGone(needs, draft, needs.check, asked))) {
      await chooseAgain(needs, draft.edition, digest) // the next candidates move up, and are asked for as well
      continue
    }
    const rendered = await needs.render(draft)
    if (rendered.problems.length > 0) {
      throw new AppError('invalid', `the template ${digest.template} has faults: ${rendered.problems.join('; ')}`)
    }
    if (await keep(needs, draft, rendered, asked)) return (await editionById(needs.db, id)) ?? draft.edition
    await chooseAgain(needs, draft.edition, digest) // another edition of this digest took some of them first
  }
  throw new AppError('conflict', `${digest.name}: another edition keeps taking the articles of this one`)
}

/** Asks for what has not been asked for yet, and keeps what was found. Returns whether something is gone. */
async function cutWhatIsGone(
  { db, clock }: SealNeeds,
  { edition, sections }: Draft,
  check: Check,
  asked: Map<string, string>,
): Promise<boolean> {
  const articles = sections.flatMap((section) => section.articles).filter(({ id }) => !asked.has(id))
  for (const { id } of articles) asked.set(id, '')
  const findings = await lateFindings(articles, check)
  const gone = findings.filter(({ kind }) => kind === 'gone')
  const now = clock.now()
  await transaction(db, async (trx) => {
    for (const { article, kind, words } of findings) {
      asked.set(article.id, words)
      if (kind === 'gone') await cutArticle(trx, edition.digest, { articleId: article.id, reason: words, now })
      await note(trx, edition.id, 'lastword', `“${article.title}”: ${words}`, now)
    }
  })
  return gone.length > 0
}

async function keep(
  { db, clock }: SealNeeds,
  { edition, sections, slot }: Draft,
  rendered: Rendered,
  marks: Map<string, string>,
): Promise<boolean> {
  const ids = sections.flatMap((section) => section.articles.map((article) => article.id))
  const now = clock.now()
  const { head, subject, preheader, html, text } = rendered
  const sha256 = hashOf(rendered)
  class TakenElsewhere extends Error {}
  try {
    await db.transaction().execute(async (trx: Db) => {
      const status = edition.reason === null ? 'sealed' : 'held'
      const sealed = await moveEdition(trx, edition.id, ['composed'], { status, sealedAt: now, subject, preheader })
      if (!sealed) return // another process sealed it meanwhile
      if ((await claimArticles(trx, edition.digest, edition.id, ids)) !== ids.length) throw new TakenElsewhere()
      for (const articleId of ids) {
        const mark = marks.get(articleId)
        if (mark) await markChoice(trx, edition.id, articleId, mark)
      }
      const variant = {
        id: newId(now),
        editionId: edition.id,
        name: 'all',
        head,
        subject,
        html,
        text,
        sha256,
        slot,
        sealedAt: now,
        withdrawnAt: null,
      }
      await addVariant(trx, variant)
      await note(trx, edition.id, 'lastword', `sealed ${editionName(edition)}`, now)
    })
    return true
  } catch (error) {
    if (error instanceof TakenElsewhere) return false
    throw error
  }
}

/** The SHA-256 over headers, subject, HTML and text, each with its length before it, so that no two editions can be confused. */
export function hashOf({ head, subject, html, text }: Pick<Rendered, 'head' | 'subject' | 'html' | 'text'>): string {
  const hash = createHash('sha256')
  for (const part of [head, subject, html, text]) hash.update(`${Buffer.byteLength(part)}\n`).update(part)
  return hash.digest('hex')
}
