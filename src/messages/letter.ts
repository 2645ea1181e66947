import type { EditionRow, VariantRow } from '../store/schema.ts'
import type { Letter, LetterHead } from './mime.ts'

/** A sealed variant as the letter that it is. */
export function letterOf(
  edition: Pick<EditionRow, 'id'>,
  variant: Pick<VariantRow, 'head' | 'subject' | 'html' | 'text' | 'slot'>,
): Letter {
  const { head, subject, html, text, slot } = variant
  return { ...(JSON.parse(head) as LetterHead), editionId: edition.id, subject, html, text, slot }
}

/** The bytes without anybody's key: for the archive and for a preview. */
export function withoutKey(text: string, slot: string): string {
  return text.replaceAll(slot, '')
}
