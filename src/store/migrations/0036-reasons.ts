import { type Kysely, type RawBuilder, sql } from 'kysely'

/**
 * Reasons of deliveries, suppressions, outcomes, slow providers and unread pages as codes with values. Sentences that
 * earlier versions wrote become codes; any other text becomes a reason of the code `text`. `deliveries.reply` keeps what
 * it has, except our own sentences. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('deliveries').addColumn('reason', 'text').execute()
  await convertDeliveries(db)
  await convertRefusals(db, 'subscribers', 'suppressed_reason')
  await convertSubscriptions(db)
  await sql`update outcomes set detail = '{"code":"complained","text":' || ${jsonText('detail')} || '}'
    where kind = 'suppress' and detail like 'complained%'`.execute(db)
  await convertRefusals(db, 'outcomes', 'detail')
  await sql`update paces set reason = '{"code":"slow-down-reply","reply":' || ${jsonText('reason')} || '}'`.execute(db)
  await sql`update pages set error = ${textReason('error')} where error is not null`.execute(db)
}

/** The length of `2026-11-27T07:00:00.000Z`. */
const instantLength = 24

async function convertDeliveries(db: Kysely<never>): Promise<void> {
  const convert = (status: string, beginning: string, reason: RawBuilder<string>, reply = sql<string | null>`null`) =>
    sql`update deliveries set reason = ${reason}, reply = ${reply}
      where status = ${status} and reply like ${`${beginning}%`}`.execute(db)

  await convert('skipped', 'left on ', sql`'{"code":"left","at":"' || ${rest('left on ')} || '"}'`)
  const suppressed = 'suppressed on '
  const suppressedAt = sql`substr(reply, ${sql.lit(suppressed.length + 1)}, ${sql.lit(instantLength)})`
  const why = reasonOrNull(suppressed.length + instantLength + ': '.length)
  await convert(
    'skipped',
    suppressed,
    sql`'{"code":"suppressed","at":"' || ${suppressedAt} || '","reason":' || ${why} || '}'`,
  )
  const cancelled = 'the edition was cancelled: '
  const cancelledWhy = reasonOrNull(cancelled.length)
  await convert('skipped', cancelled, sql`'{"code":"edition-cancelled","reason":' || ${cancelledWhy} || '}'`)

  // Some of these are queued again.
  await sql`update deliveries set reason = '{"code":"sender-stopped"}', reply = null
    where reply = 'the sender stopped before the relay had answered'`.execute(db)
  await sql`update deliveries set reason = '{"code":"reply-not-recorded"}', reply = null
    where reply = 'the answer of the relay could not be recorded'`.execute(db)

  const lastAnswer = '; the last answer: '
  const cut = `for four days the connection was cut each time${lastAnswer}`
  await convert('refused', cut, sql`'{"code":"connection-cut","forMs":345600000}'`, rest(cut))
  const givenUp = (tries: number) => `given up after ${tries} tries${lastAnswer}`
  const { rows } = await sql<{ attempts: number }>`select distinct attempts from deliveries
    where status = 'refused' and reply like ${'given up after %'}`.execute(db)
  for (const { attempts } of rows)
    await convert(
      'refused',
      givenUp(attempts),
      sql`'{"code":"given-up","attempts":' || attempts || '}'`,
      rest(givenUp(attempts)),
    )
}

/** The text of `reply` after its beginning. */
function rest(beginning: string): RawBuilder<string> {
  return sql<string>`substr(reply, ${sql.lit(beginning.length + 1)})`
}

/** The text of `reply` after that many characters, as a reason in JSON; null where there is none. */
function reasonOrNull(length: number): RawBuilder<string> {
  const text = sql<string>`substr(reply, ${sql.lit(length + 1)})`
  return sql<string>`case when ${text} = '' then 'null' else '{"code":"text","text":' || ${jsonString(text)} || '}' end`
}

/** The four causes for which earlier versions suppressed an address. */
const causes = {
  'no-such-mailbox': 'there is no such mailbox: ',
  'no-such-domain': 'the domain takes no mail: ',
  'mailbox-disabled': 'the mailbox is closed: ',
  'address-refused': 'the address is refused: ',
}

async function convertRefusals(db: Kysely<never>, table: string, column: string): Promise<void> {
  const [rows, text] = [sql.table(table), sql.ref<string>(column)]
  for (const [cause, beginning] of Object.entries(causes)) {
    const reply = jsonString(sql<string>`substr(${text}, ${sql.lit(beginning.length + 1)})`)
    const start = sql.lit(`{"code":"refused","cause":"${cause}","reply":`)
    await sql`update ${rows} set ${text} = ${start} || ${reply} || '}' where ${text} like ${`${beginning}%`}`.execute(
      db,
    )
  }
  await sql`update ${rows} set ${text} = ${textReason(column)} where ${text} not like '{"code":%'`.execute(db)
}

/** An outcome of a subscription begins with the name of its digest, which an import compares. */
async function convertSubscriptions(db: Kysely<never>): Promise<void> {
  const digest = sql`(select min(digest) from subscriptions where subscriptions.subscriber_id = outcomes.subscriber_id
    and substr(outcomes.detail, 1, length(digest) + 2) = digest || ', ')`
  await sql`update outcomes set detail =
    '{"code":"subscription","digest":"' || ${digest} || '","text":' || ${jsonText('detail')} || '}'
    where kind in ('leave', 'return') and ${digest} is not null`.execute(db)
}

function textReason(column: string): RawBuilder<string> {
  return sql<string>`'{"code":"text","text":' || ${jsonText(column)} || '}'`
}

function jsonText(column: string): RawBuilder<string> {
  return jsonString(sql.ref<string>(column))
}

/** A text as a JSON string (RFC 8259 §7), in SQL that both engines have. */
function jsonString(text: RawBuilder<string> | ReturnType<typeof sql.ref<string>>): RawBuilder<string> {
  const escapes = [
    ['\\', '\\\\'],
    ['"', '\\"'],
    ...Array.from({ length: 31 }, (_, index) => {
      const code = index + 1
      return [String.fromCharCode(code), `\\u${code.toString(16).padStart(4, '0')}`]
    }),
  ]
  const escaped = escapes.reduce((inner, [from, to]) => sql<string>`replace(${inner}, ${from}, ${to})`, sql`${text}`)
  return sql<string>`'"' || ${escaped} || '"'`
}
