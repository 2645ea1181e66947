import type { Instant } from '../clock.ts'
import type { Message } from './mime.ts'
import { header, mailbox } from './mime.ts'
import { quotedPrintable } from './quoted-printable.ts'

/** A plain letter to the editors, from the house itself. `id` makes the Message-ID: the same notice bears the same one. */
export type Notice = {
  id: string
  from: { name: string; address: string }
  to: string
  subject: string
  text: string
  date: Instant
}

/** RFC 5322, as ready bytes; marked as written by a machine (RFC 3834), so that nobody's absence answers it. */
export function compileNotice({ id, from, to, subject, text, date }: Notice): Message {
  const messageId = `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`
  const head = [
    `Date: ${new Date(date).toUTCString().replace('GMT', '+0000')}`,
    `From: ${mailbox(from.name, from.address)}`,
    `To: ${mailbox('', to)}`,
    `Message-ID: ${messageId}`,
    header('Subject', subject),
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
  ]
  const body = quotedPrintable(`${text}\n`, noSlot)
  const raw = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'utf8'), ...body])
  return { envelope: { from: from.address, to }, messageId, raw }
}

/** A notice has nothing to be filled in; no text of ours holds this character. */
const noSlot = '\u0000'
