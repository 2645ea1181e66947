import type { App } from '../../app.ts'
import { addMails } from '../../store/outbox/outbox.ts'
import { staffByEmailKey, staffByName } from '../../store/staff/addresses.ts'
import { addressKey } from '../../subscribers/address.ts'
import { addMs, minute } from '../../time/clock.ts'
import type { WriteMail } from '../written-mail.ts'
import { makeSignInLink } from './sign-in-link.ts'

export const mailedLinkMinutes = 15
const lifetimeMs = mailedLinkMinutes * minute

/**
 * Adds a sign-in email to the outbox for any address: only its writer finds out whether the address is of staff, so that
 * the answer to the form, and its time, reveal nothing.
 */
export async function requestSignInMail(
  { db, clock }: Pick<App, 'db' | 'clock'>,
  { id, address, next }: { id: string; address: string; next: string },
): Promise<void> {
  const now = clock.now()
  const expiresAt = addMs(now, lifetimeMs)
  await addMails(db, [{ kind: 'sign-in', about: [id], facts: { address, next }, expiresAt }], now)
}

/** Writes the email with a new link; none for an address that is not of staff. */
export const writeSignInMail: WriteMail<'sign-in'> = async (app, [facts]) => {
  const staff = facts && (await staffOfAddress(app, facts.address))
  if (staff === undefined) return undefined
  const { name: publication, contact } = app.config.publication
  const lines = [
    `Open this page and press the button to sign in as ${staff.name}:`,
    '',
    await makeSignInLink(app, staff.name, { next: facts?.next ?? '', lifetimeMs }),
    '',
    `The link works once, and for ${mailedLinkMinutes} minutes.`,
    'If you did not ask for it, do nothing. Nobody can sign in without this email.',
    '',
    '-- ',
    `Lastword, for ${publication}`,
  ]
  return {
    from: contact,
    to: staff.email,
    replyTo: contact,
    subject: `${publication}: your sign-in link`,
    text: `${lines.join('\n')}\n`,
  }
}

type Staff = { name: string; email: string }

/**
 * The person with this address. `publication.editors` needs no row: its name is the local part, or the whole address if
 * another person has that name. The email is sent to the address as it is stored, never as it was typed.
 */
async function staffOfAddress({ db, config }: Pick<App, 'db' | 'config'>, address: string): Promise<Staff | undefined> {
  const key = addressKey(address)
  const row = await staffByEmailKey(db, key)
  if (row) return row
  const { editors } = config.publication
  if (editors === undefined || addressKey(editors) !== key) return undefined
  const local = editors.slice(0, editors.lastIndexOf('@'))
  return { name: (await staffByName(db, local)) ? editors : local, email: editors }
}
