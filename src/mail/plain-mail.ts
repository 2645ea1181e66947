import { createHash } from 'node:crypto'
import { type Instant, mailDate } from '../time/clock.ts'
import { header, mailbox } from './mime.ts'
import { quotedPrintable } from './quoted-printable.ts'

/**
 * One plain message: to the people who run a publication, or to a subscriber. `name` is who writes, Lastword if absent;
 * `id` makes its Message-ID, its text if absent.
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
 * The message as ready bytes. The same one has the same Message-ID, so that one which had to be sent again is known
 * for what it is. Auto-Submitted (RFC 3834) keeps out-of-office answers away.
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

/** A notice has no hole to fill. */
const noSlot = '\u0000'
