import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Cron } from 'croner'
import { z } from 'zod'
import { type ParsedYaml, parseYaml, readYaml, validateYaml } from '../config/yaml.ts'
import { isTimeZone } from '../time/zone.ts'
import { digestContradictions, sectionContradictions, timeContradictions } from './jobs/contradictions.ts'
import { placeholders } from './jobs/subject-pattern.ts'
import { dayConflictMessage } from './schedule/day-conflict.ts'

/** How a section looks in the email; each has a part of its own in `templates/email/parts/`. */
export const layouts = ['latest', 'last-word', 'focus', 'tv', 'have-your-say'] as const

const durationMessage = 'expected a length of time such as "90m", "12h" or "3d"'
const duration = z
  .string(durationMessage)
  .regex(/^\d+ ?(m|h|d)$/, durationMessage)
  .describe('A length of time: 90m, 12h, 3d')

const durationOrOffMessage = `${durationMessage}, or off`
const durationOrOff = z.string(durationOrOffMessage).regex(/^(?:off|\d+ ?(m|h|d))$/, durationOrOffMessage)

const mailbox = z.strictObject({ name: z.string().min(1), address: z.email('expected an email address') })

const subjectPattern = z
  .string()
  .min(1)
  .superRefine((text, check) => {
    for (const [, name] of text.matchAll(/\{([^}]*)\}/g)) {
      if (!placeholders.includes(name as (typeof placeholders)[number])) {
        const known = placeholders.map((known) => `{${known}}`).join(', ')
        check.addIssue({ code: 'custom', message: `unknown placeholder {${name}}: expected one of ${known}` })
      }
    }
  })

const cronSchedule = z.string().superRefine((text, check) => {
  const fields = text.trim().split(/\s+/).length
  if (fields !== 5) {
    check.addIssue({
      code: 'custom',
      message: `expected five cron fields (minute hour day month weekday), found ${fields}`,
    })
    return
  }
  try {
    if (!new Cron(text, { paused: true }).nextRun())
      check.addIssue({ code: 'custom', message: `there is no such day: "${text}" never runs` })
    const clash = dayConflictMessage(text)
    if (clash) check.addIssue({ code: 'custom', message: clash })
  } catch (error) {
    const words = (error as Error).message.replace(/^Cron\w+: /, '')
    check.addIssue({ code: 'custom', message: `not a cron expression: ${words}` })
  }
})

const filterFields = {
  categories: z.array(z.string().min(1)).default([]),
  words: z.array(z.string().min(1)).default([]).describe('Words of title or summary, whole and in any case'),
  authors: z.array(z.string().min(1)).default([]),
}
const emptyFilterMessage = 'names nothing to look for'
const hasFilterTerms = (it: ArticleFilter) => it.categories.length + it.words.length + it.authors.length > 0

const filterSchema = z.strictObject(filterFields).refine(hasFilterTerms, emptyFilterMessage)

const maximumRule = z
  .strictObject({ count: z.int().min(1), ...filterFields })
  .refine(hasFilterTerms, emptyFilterMessage)

const minimumRule = z
  .strictObject({
    count: z.int().min(1),
    ...filterFields,
    otherwise: z
      .enum(['send', 'hold', 'skip'])
      .default('send')
      .describe('When too few match: the edition goes out all the same, is held for an editor, or is skipped'),
  })
  .refine(hasFilterTerms, emptyFilterMessage)

const zone = z.string().refine(isTimeZone, 'expected an IANA time zone such as "Europe/London"')

export const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const

const timeOfDay = z
  .string('expected a time of the day such as "08:00"')
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of the day such as "08:00"')

/** PostgreSQL refuses an index row of more than 2,704 bytes. */
const maxUrlLength = 2000

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address' })
  .regex(/^\w+:\/\/[^\s\\]+$/, 'expected an http or https address')
  .refine(
    (url) => Buffer.byteLength(url) <= maxUrlLength,
    `this address has more than ${maxUrlLength} characters: use a shorter one of the same feed`,
  )

const sectionSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
    title: z.string().min(1).describe('The heading over the section'),
    layout: z.enum(layouts),
    feeds: z.array(httpUrl).default([]),
    minimum: z.int().min(0).default(0).describe('With fewer articles than this the section is thin'),
    maximum: z.int().min(1).max(100).default(10),
    perFeed: z.int().min(1).optional().describe('At most so many from one feed'),
    perAuthor: z.int().min(1).optional().describe('At most so many by one author'),
    freshness: duration.optional().describe('What was first seen longer ago than this is not chosen'),
    include: filterSchema.optional().describe('Only what matches one of these; the rest may stand in a later section'),
    exclude: filterSchema.optional().describe('Nothing that matches one of these'),
    atLeast: z
      .array(minimumRule)
      .default([])
      .describe('Keeps places for so many that match one of these, where newer ones would have filled the section'),
    atMost: z.array(maximumRule).default([]).describe('No more than so many that match one of these'),
    order: z
      .enum(['newest', 'feed', 'score'])
      .default('newest')
      .describe(
        'newest first, as the feeds have it, or by score: fresh 0–7, picture 2, summary 1, author 1, 3 a source',
      ),
    thin: z
      .enum(['drop', 'hold', 'backfill', 'ask'])
      .default('hold')
      .describe(
        'With fewer articles than the minimum: drop (left out; a later section with the same feed may have its articles), hold (left out; they stay for next time), backfill (filled up from that feed), ask (the edition is held for an editor)',
      ),
    backfill: httpUrl.optional().describe('A feed that is used only when the section is short'),
    text: z.string().optional().describe('A line of your own under the heading'),
    enrich: z
      .boolean()
      .default(false)
      .describe('Ask the page of an article for the summary, author, picture or whole text that its feed leaves out'),
    body: z
      .enum(['summary', 'full'])
      .default('summary')
      .describe('full: articles are printed whole, as far as their feed has them, and not their summary alone'),
  })
  .superRefine(
    (it, check) => {
      if (it.minimum > it.maximum)
        check.addIssue({ code: 'custom', path: ['minimum'], message: 'is more than the maximum' })
      if (it.layout !== 'have-your-say' && it.feeds?.length === 0) {
        check.addIssue({
          code: 'custom',
          path: ['feeds'],
          message: `a section with the layout ${it.layout} needs at least one feed`,
        })
      }
      if (it.layout === 'tv' && it.body === 'full')
        check.addIssue({ code: 'custom', path: ['body'], message: 'the layout tv shows films, and no whole articles' })
      if (it.thin === 'backfill' && it.backfill === undefined)
        check.addIssue({ code: 'custom', path: ['backfill'], message: 'thin: backfill needs a feed to fill up from' })
      if (it.thin !== 'backfill' && it.backfill !== undefined)
        check.addIssue({ code: 'custom', path: ['backfill'], message: 'is used by thin: backfill alone' })
      for (const problem of sectionContradictions(it)) check.addIssue({ code: 'custom', ...problem })
    },
    { when: ({ value }) => isObject(value) },
  )

/** A check across keys looks at what there is, so that its problems stand beside the others and not behind them. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** One file in `jobs/`. Unknown keys are errors with file and line. */
const digestSchema = z
  .strictObject({
    title: z.string().min(1).describe('The name of the newsletter, as subscribers know it'),
    schedule: cronSchedule.describe('Five cron fields: minute hour day-of-month month weekday, in the zone below'),
    zone: zone.describe(
      'IANA time zone; on the night of a clock change a time that does not exist runs at the change, one that comes twice runs once',
    ),
    subject: subjectPattern.describe('The subject line, with placeholders'),
    preheader: subjectPattern.describe('The grey line after the subject in an inbox'),
    from: mailbox,
    replyTo: z.email('expected an email address').optional().describe('The contact address of lastword.yml if absent'),
    language: z.string().optional().describe('Language tag; that of the publication if absent'),
    template: z.string().default('digest').describe('templates/email/<template>.mjml.hbs and .txt.hbs'),
    introduction: z.string().optional().describe('A paragraph at the top of every edition'),
    approval: z.enum(['auto', 'required']).default('required'),
    archive: z
      .enum(['on', 'off'])
      .default('on')
      .describe(
        'off: no public page shows the digest or its editions, and its emails have no link to read them on the web',
      ),
    thin: z
      .strictObject({
        minimum: z.int().min(0).default(1).describe('With fewer articles than this in all, the edition is thin'),
        rule: z.enum(['skip', 'hold', 'send']).default('skip'),
        longestSilence: duration
          .optional()
          .describe('With the last edition longer ago than this, a thin one goes out instead of being skipped'),
        notify: z.boolean().default(false).describe('Tell the editors by mail of every skipped run'),
      })
      .prefault({}),
    atLeast: z
      .array(minimumRule)
      .default([])
      .describe('Keeps places, in whichever section, for so many that match one of these'),
    atMost: z
      .strictObject({
        author: z.int().min(1).optional(),
        feed: z.int().min(1).optional(),
        matching: z.array(maximumRule).default([]).describe('No more than so many that match one of these'),
      })
      .prefault({})
      .describe('At most so many by one author, from one feed, or of a kind, in all sections together'),
    flood: z
      .strictObject({
        known: z.int().min(1).default(5).describe('More new articles than this with known addresses or titles'),
        times: z.int().min(2).default(10).describe('More new articles than this many times the usual number'),
      })
      .prefault({})
      .describe('When a feed suddenly brings this many new articles, they wait for an editor'),
    pending: z
      .strictObject({
        for: durationOrOff
          .default('28d')
          .describe('How long an article may be passed over by editions before none looks at it any more; or off'),
      })
      .prefault({})
      .describe('When an article that no edition holds comes to its end'),
    lateCheck: z
      .boolean()
      .default(true)
      .describe('Just before the seal every chosen article is asked for again; one that is gone is left out'),
    corrections: z
      .strictObject({
        for: durationOrOff
          .default('14d')
          .describe('How long after it was approved an edition is watched for what turns out to be wrong; or off'),
      })
      .prefault({})
      .describe('A headline that changes, a correction note or a page that is gone is proposed to the editors'),
    missed: z
      .strictObject({
        within: duration
          .default('12h')
          .describe('A run missed by no more than this is made up for; an older one is skipped'),
      })
      .prefault({}),
    window: z
      .strictObject({
        from: timeOfDay.describe('Nothing is begun before this time of the day …'),
        to: timeOfDay.describe('… or after this one; earlier than from, it is one of the next day'),
        days: z
          .array(z.enum(weekdays))
          .min(1)
          .default([...weekdays])
          .describe('Days on which the window opens'),
      })
      .refine(({ from, to }) => from !== to, { path: ['to'], message: 'is the same as from' })
      .optional()
      .describe('Copies go out in these hours of the zone alone; what is left goes on when the window opens'),
    canary: z
      .strictObject({
        share: z.number().positive().max(0.5).default(0.02).describe('This share goes first, and at least ten people'),
        minimum: z
          .int()
          .min(20)
          .default(500)
          .describe('Of each mail provider that has at least so many of the subscribers'),
        wait: duration.default('30m').describe('The rest waits for so long after the first share'),
        refusals: z
          .number()
          .min(0)
          .max(1)
          .default(0.05)
          .describe('With a larger share of the first refused or put off by policy, the edition is paused'),
      })
      .optional()
      .describe('The first share of each large mail provider goes alone; what it is answered decides about the rest'),
    localTime: z
      .boolean()
      .default(false)
      .describe('Each copy goes out when it is the hour of the schedule in the zone of its subscriber'),
    lead: duration
      .optional()
      .describe(
        'With localTime the edition is made so long before the hour of the first zone, to leave time to approve',
      ),
    unknown: z
      .enum(['repeat', 'hold'])
      .default('repeat')
      .describe('A delivery cut off inside the answer of the relay: repeat it with the same Message-ID, or hold it'),
    sections: z.array(sectionSchema).min(1),
  })
  .superRefine(
    (it, check) => {
      for (const problem of timeContradictions(it)) check.addIssue({ code: 'custom', ...problem })
      if (!Array.isArray(it.sections)) return
      const names = it.sections.map((one) => one?.name)
      names.forEach((name, index) => {
        if (name !== undefined && names.indexOf(name) !== index) {
          check.addIssue({
            code: 'custom',
            path: ['sections', index, 'name'],
            message: `a section named "${name}" stands above already`,
          })
        }
      })
      for (const problem of digestContradictions(it)) check.addIssue({ code: 'custom', ...problem })
    },
    { when: ({ value }) => isObject(value) },
  )

export type Section = z.output<typeof sectionSchema>
/** What an article is looked for by: one match is enough. */
export type ArticleFilter = { categories: string[]; words: string[]; authors: string[] }
/** At most `count` that match. */
export type MaximumRule = z.output<typeof maximumRule>
/** At least `count` that match; `otherwise` is what happens when there are too few. */
export type MinimumRule = z.output<typeof minimumRule>
/** A recurring newsletter, with the name of its file. */
export type Digest = z.output<typeof digestSchema> & { name: string }

/**
 * Whether a file of the folder holds a digest. A sample, `*.example.yml`, does not, nor what editors keep beside a file:
 * `.weekly.yml.swp`, `.#weekly.yml`.
 */
export function isJobFile(file: string): boolean {
  return /^[^.#].*\.ya?ml$/i.test(file) && !/\.example\.ya?ml$/i.test(file)
}

/** Whether a digest may be called that: its name stands in addresses. */
export function isDigestName(name: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(name)
}

/** Reads one digest. Throws AppError with every problem of the file, each with its line. */
export function readDigest(file: string, templates: string): Digest {
  return checkDigest(readYaml(file), templates)
}

/** The same from text, for an editor's page or a test. */
export function parseDigest(text: string, file: string, templates: string): Digest {
  return checkDigest(parseYaml(text, file), templates)
}

function checkDigest(written: ParsedYaml, templates: string): Digest {
  const withTemplate = digestSchema.superRefine(
    (it, check) => {
      for (const ending of ['mjml', 'txt']) {
        const path = join(templates, 'email', `${it.template}.${ending}.hbs`)
        if (!existsSync(path)) check.addIssue({ code: 'custom', path: ['template'], message: `${path} does not exist` })
      }
    },
    { when: ({ value }) => isObject(value) && typeof value.template === 'string' },
  )
  const name = basename(written.file).replace(/\.ya?ml$/, '')
  const badName = `${written.file}: the file name is the digest's name: expected lower-case letters, digits and hyphens`
  const found = isDigestName(name) ? [] : [badName]
  return { name, ...validateYaml(written, withTemplate, found, new Map([['storm', 'flood']])) }
}

/** The addresses of all feeds of the digest, once each, the preferred first: in the order of the sections, then what fills up. */
export function feedUrlsOf(digest: Digest): string[] {
  const backfills = digest.sections.flatMap(({ backfill }) => (backfill === undefined ? [] : [backfill]))
  return [...new Set([...digest.sections.flatMap((section) => section.feeds), ...backfills])]
}

/** Those of them that stand in a section with `body: full`. */
export function fullTextFeedUrls(digest: Digest): string[] {
  return feedUrlsOf({ ...digest, sections: digest.sections.filter(({ body }) => body === 'full') })
}

/** JSON Schema (draft 2020-12) of a job file, from the schema that checks it, so that editors complete and check as they write. */
export function digestJsonSchema(): object {
  return { title: 'A digest of Lastword', ...z.toJSONSchema(digestSchema, { io: 'input' }) }
}
