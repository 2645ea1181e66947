import { senderId } from '../mail/keys.ts'
import type { MessageHead, MessageTemplate } from '../mail/mime.ts'
import type { EditionRow, VariantRow } from '../store/schema.ts'

/** The message template of a sealed variant; the secret gives the id of this installation. */
export function toMessageTemplate(
  secret: string,
  edition: Pick<EditionRow, 'id'>,
  variant: Pick<VariantRow, 'head' | 'subject' | 'html' | 'text' | 'slot'>,
): MessageTemplate {
  const { head, subject, html, text, slot } = variant
  const common = { editionId: edition.id, senderId: senderId(secret), subject, html, text, slot }
  const sealed = JSON.parse(head) as MessageHead
  const webUrl = sealed.webUrl.replace(/\/+$/, '') // earlier versions sealed it with a slash at the end
  return { ...sealed, webUrl, ...common }
}

/** Removes the slots for keys, for the archive and for previews. */
export function withoutKey(text: string, slot: string): string {
  return text.replaceAll(slot, '')
}
