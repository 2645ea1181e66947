import { senderId } from '../mail/keys.ts'
import type { MessageHead, MessageTemplate } from '../mail/mime.ts'
import type { EditionRow, VariantRow } from '../store/schema.ts'

/** A sealed variant as the message that it is, sent by the installation with this secret. */
export function toMessageTemplate(
  secret: string,
  edition: Pick<EditionRow, 'id'>,
  variant: Pick<VariantRow, 'head' | 'subject' | 'html' | 'text' | 'slot'>,
): MessageTemplate {
  const { head, subject, html, text, slot } = variant
  const common = { editionId: edition.id, senderId: senderId(secret), subject, html, text, slot }
  const sealed = JSON.parse(head) as MessageHead
  const webUrl = sealed.webUrl.replace(/\/+$/, '') // older editions were sealed with a slash at its end
  return { ...sealed, webUrl, ...common }
}

/** The bytes without anybody's key: for the archive and for a preview. */
export function withoutKey(text: string, slot: string): string {
  return text.replaceAll(slot, '')
}
