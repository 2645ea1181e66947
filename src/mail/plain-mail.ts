import { createHash } from 'node:crypto'
import { type Instant, mailDate } from '../time/clock.ts'
import { header, mailbox } from './mime.ts'
import { quotedPrintable } from './quoted-printable.ts'

/**
 * A plain text email to editors or to a subscriber. `name`: the sender's name, Lastword if absent; `id`: the left part of
 * the Message-ID, a hash of the text if absent.
 */
export type PlainMail = {
  id?: string
  from: string
  name?: string
  replyTo?: string
  to: string
  returnPath: string
  subject: string
  text: string
  date: Instant
}

/**
 * Encodes the message. If it is sent again it has the same Message-ID. Auto-Submitted (RFC 3834) prevents out-of-office
 * replies.
 */
export function plainMail(mail: PlainMail): {
  envelope: { from: string; to: string }
  raw: Buffer
} {
  const { from, name = 'Lastword', replyTo, to, returnPath, subject, text, date } = mail
  const id = mail.id ?? createHash('sha256').update([to, subject, text].join('\n')).digest('hex').slice(0, 40)
  const head = [
    `Date: ${mailDate(date)}`,
    `From: ${mailbox(name, from)}`,
    ...(replyTo === undefined ? [] : [`Reply-To: ${mailbox('', replyTo)}`]),
    `To: ${mailbox('', to)}`,
    `Message-ID: <${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    header('Subject', subject),
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
  ]
  const body = quotedPrintable(text.replaceAll(noSlot, ''), noSlot)
  const raw = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'utf8'), ...body])
  return { envelope: { from: returnPath, to }, raw }
}

/** There is no key to fill in. */
const noSlot = '\u0000'
