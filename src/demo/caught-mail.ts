import { access, constants, mkdir, open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, messageOf } from '../errors.ts'
import { type Instant, systemClock } from '../time/clock.ts'
import { headerField } from './header-field.ts'

/** One recipient's copy of a message. */
export type CaughtMessage = {
  /** From 1; also the number of its file. */
  number: number
  from: string
  to: string
  receivedAt: Instant
  messageId: string
  raw: Buffer
}

export type CaughtSummary = Omit<CaughtMessage, 'raw'> & { subject: string; bytes: number }

export type CaughtMail = {
  /** Resolves when the copies are stored; if it rejects, none of them counts. */
  store(envelope: { from: string; to: string[] }, raw: Buffer): Promise<void>
  count(): number
  duplicates(): number
  /** Newest first. */
  newestFirst(): CaughtMessage[]
  find(number: number): CaughtMessage | undefined
}

/** Older messages are only in the folder, if there is one. */
const maxInMemory = 5000

export async function openCaughtMail(mailDir?: string): Promise<CaughtMail> {
  const messages = new Map<number, CaughtMessage>()
  const copies = new Map<string, number>()
  let number = mailDir ? await lastNumberIn(mailDir) : 0
  let count = 0

  async function store({ from, to }: { from: string; to: string[] }, raw: Buffer): Promise<void> {
    const messageId = headerField(raw, 'message-id')
    const receivedAt = systemClock.now()
    const caught = to.map((recipient) => ({ number: ++number, from, to: recipient, receivedAt, messageId, raw }))
    if (mailDir) for (const message of caught) await writeAtomically(mailDir, fileName(message), raw)
    for (const message of caught) add(message)
  }

  function add(message: CaughtMessage): void {
    count += 1
    const identity = `${message.to} ${message.messageId}`
    if (message.messageId) copies.set(identity, (copies.get(identity) ?? 0) + 1)
    messages.set(message.number, message)
    const [oldest] = messages.keys()
    if (messages.size > maxInMemory && oldest !== undefined) messages.delete(oldest)
  }

  return {
    store,
    count: () => count,
    duplicates: () => copies.values().reduce((sum, each) => sum + each - 1, 0),
    newestFirst: () => [...messages.values()].sort((a, b) => b.number - a.number),
    find: (wanted) => messages.get(wanted),
  }
}

export function toSummary({ raw, ...message }: CaughtMessage): CaughtSummary {
  return { ...message, subject: headerField(raw, 'subject'), bytes: raw.byteLength }
}

/** `0042-mira@example.org.eml`; unusual characters of the address are replaced. */
export function fileName({ number, to }: { number: number; to: string }): string {
  const address = to.replace(/[^A-Za-z0-9.@+_-]/g, '_').slice(0, 120)
  return `${String(number).padStart(4, '0')}-${address}.eml`
}

/** Numbering continues after the files in the folder, so that no earlier message is overwritten. */
async function lastNumberIn(mailDir: string): Promise<number> {
  const names = await openFolder(mailDir).catch((error: unknown) => {
    throw new AppError('unavailable', `cannot store mail in ${mailDir}: ${messageOf(error)}`, {
      hint: 'Give another folder, or make this one writable.',
      cause: error,
    })
  })
  return names.reduce((last, name) => Math.max(last, Number(/^(\d+)-/.exec(name)?.[1] ?? 0)), 0)
}

async function openFolder(mailDir: string): Promise<string[]> {
  await mkdir(mailDir, { recursive: true })
  await access(mailDir, constants.W_OK)
  return readdir(mailDir)
}

/** Writes and syncs a temporary file, then renames it. */
async function writeAtomically(mailDir: string, name: string, raw: Buffer): Promise<void> {
  const temporary = join(mailDir, `${name}.part`)
  const file = await open(temporary, 'wx')
  try {
    await file.writeFile(raw)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, join(mailDir, name))
}
