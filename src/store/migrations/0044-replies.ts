import { type Kysely, sql } from 'kysely'

/**
 * `reply` keeps only what a relay answered, in deliveries and in the outbox; the sentences that earlier versions put
 * there become codes in `reason`, and any other text becomes a reason of the code `text`. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('outbox').addColumn('reason', 'text').execute()
  await convertOutbox(db)
  await convertDeliveries(db)
}

type Kept = { reply: string; reason: string | null }

async function convertOutbox(db: Kysely<never>): Promise<void> {
  const { rows } = await sql<Kept & { id: string }>`select id, reply, reason from outbox where ${isMaybeOurs}`.execute(
    db,
  )
  for (const { id, ...kept } of rows) {
    const { reply, reason } = converted(kept)
    await sql`update outbox set reply = ${reply}, reason = ${reason} where id = ${id}`.execute(db)
  }
}

const rowsPerPage = 1000

async function convertDeliveries(db: Kysely<never>): Promise<void> {
  let last = { edition: '', subscriber: '' }
  for (;;) {
    const { rows } = await sql<Kept & typeof last>`
      select edition_id as edition, subscriber_id as subscriber, reply, reason from deliveries
      where (edition_id, subscriber_id) > (${last.edition}, ${last.subscriber}) and ${isMaybeOurs}
      order by edition_id, subscriber_id limit ${rowsPerPage}`.execute(db)
    for (const { edition, subscriber, ...kept } of rows) {
      const { reply, reason } = converted(kept)
      await sql`update deliveries set reply = ${reply}, reason = ${reason}
        where edition_id = ${edition} and subscriber_id = ${subscriber}`.execute(db)
      last = { edition, subscriber }
    }
    if (rows.length < rowsPerPage) return
  }
}

/** Leaves out most answers, which begin with a code such as `250 ` or `550-`. */
const isMaybeOurs = sql<boolean>`reply <> '' ${sql.join(
  ['2', '4', '5']
    .flatMap((digit) => [`${digit}__ %`, `${digit}__-%`])
    .map((answer) => sql`and reply not like ${answer}`),
  sql` `,
)}`

function converted({ reply, reason }: Kept): Kept {
  if (isAnswer(reply)) return { reply, reason }
  const [, early = ''] = /^before it had the message, the relay said (.*)$/s.exec(reply) ?? []
  if (isAnswer(early)) return { reply: early, reason: withFurther(reason, { code: 'answered-early' }) }
  return { reply: '', reason: withFurther(reason, reasonOf(reply)) }
}

function isAnswer(text: string): boolean {
  return /^\d{3}(?:[ -]|$)/.test(text)
}

function withFurther(reason: string | null, further: object): string {
  return JSON.stringify(reason === null ? further : { ...JSON.parse(reason), also: [further] })
}

function reasonOf(text: string): object {
  const [, invalid] = /^(".*") cannot be said in SMTP$/s.exec(text) ?? []
  if (invalid !== undefined) return { code: 'invalid-address', address: invalid }
  const [, address] = /^the relay does not take (.*): it offers no SMTPUTF8$/s.exec(text) ?? []
  if (address !== undefined) return { code: 'no-smtputf8', address }
  const [, bytes, maximum] = /^the message has (\d+) bytes, and the relay takes at most (\d+)$/.exec(text) ?? []
  if (bytes !== undefined) return { code: 'message-too-large', bytes: Number(bytes), maximum: Number(maximum) }
  return text === 'there is no relay' ? { code: 'no-relay' } : { code: 'text', text }
}
