import type { Config } from '../../config/config.ts'
import type { NewEvent, NoticeSubject } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { EditionRow } from '../../store/schema.ts'
import type { MailOutcome, WrittenMail } from '../written-mail.ts'

/** `subject` lacks the name of the publication; `lines` are plain text. */
export type NoticeText = { subject: string; lines: string[] }

/** A notice to the editors' address, or to the contact address if none is set. Replies go to the same address. */
export function editorsMail({ publication, web }: Config, { subject, lines }: NoticeText): WrittenMail {
  const { name, contact, editors = contact } = publication
  const signature = ['-- ', `Lastword, for ${name}`, studioLink(web)]
  return {
    from: contact,
    to: editors,
    replyTo: editors,
    subject: `${name}: ${subject}`,
    text: `${[...lines, '', ...signature].join('\n')}\n`,
  }
}

/** A notice about one edition: adds the link to its page, and records an event in its history. */
export function editionMail(
  config: Config,
  { id }: EditionRow,
  { subject, lines }: NoticeText,
  about: NoticeSubject = 'edition',
): WrittenMail {
  return {
    ...editorsMail(config, { subject, lines: [...lines, editionLink(config.web, id)] }),
    record: (db, outcome, now) => addEvent(db, noticeEvent(id, about, outcome), now),
  }
}

function noticeEvent(edition: string, about: NoticeSubject, { result, reply }: MailOutcome): NewEvent {
  const event = { actor: 'system' as const, edition }
  if (result === 'sent') return { kind: 'notice.sent', ...event, data: { about } }
  return { kind: `notice.${result}`, ...event, data: { about, reply } }
}

export function studioLink({ url }: Config['web']): string {
  return `${url}/studio`
}

export function editionLink(web: Config['web'], id: string): string {
  return `${studioLink(web)}/editions/${id}`
}
