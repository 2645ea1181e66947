import type { Candidate } from '../../store/articles/articles.ts'

/** The section in which an editor keeps the article, whatever the rules say; undefined: none. */
export function pinnedSection({ decision }: Candidate): string | undefined {
  return decision?.kind === 'pin' ? decision.section : undefined
}

export function isPinned(article: Candidate): boolean {
  return pinnedSection(article) !== undefined
}
