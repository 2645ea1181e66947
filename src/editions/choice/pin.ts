import type { Candidate } from '../../store/articles/articles.ts'

/** The section to which an editor pinned the article; undefined: it is not pinned. */
export function pinnedSection({ decision }: Candidate): string | undefined {
  return decision?.kind === 'pin' ? decision.section : undefined
}

export function isPinned(article: Candidate): boolean {
  return pinnedSection(article) !== undefined
}
