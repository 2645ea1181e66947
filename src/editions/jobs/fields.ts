import { Cron } from 'croner'
import { z } from 'zod'
import { isLanguageTag, languageTagMessage, languageTagPattern } from '../../text/language-tag.ts'
import { isTimeZone } from '../../time/zone.ts'
import { dayConflictMessage } from '../schedule/day-conflict.ts'
import { placeholderProblems } from './subject-pattern.ts'

const durationMessage = 'expected a length of time such as "90m", "12h" or "3d"'
export const duration = z
  .string(durationMessage)
  .regex(/^\d+ ?(m|h|d)$/, durationMessage)
  .describe('A length of time: 90m, 12h, 3d')

const durationOrOffMessage = `${durationMessage}, or off`
export const durationOrOff = z.string(durationOrOffMessage).regex(/^(?:off|\d+ ?(m|h|d))$/, durationOrOffMessage)

export const languageTag = z
  .string()
  .regex(languageTagPattern, { message: languageTagMessage, abort: true })
  .refine(isLanguageTag, languageTagMessage)

export const mailbox = z.strictObject({ name: z.string().min(1), address: z.email('expected an email address') })

export const subjectPattern = z
  .string()
  .min(1)
  .superRefine((text, check) => {
    for (const message of placeholderProblems(text)) check.addIssue({ code: 'custom', message })
  })

export const cronSchedule = z.string().superRefine((text, check) => {
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
  words: z.array(z.string().min(1)).default([]).describe('Whole words in title or summary, in upper or lower case'),
  authors: z.array(z.string().min(1)).default([]),
}
const emptyFilterMessage = 'names nothing to look for'
const hasFilterTerms = (it: ArticleFilter) => it.categories.length + it.words.length + it.authors.length > 0

export const filterSchema = z.strictObject(filterFields).refine(hasFilterTerms, emptyFilterMessage)

export const maximumRule = z
  .strictObject({ count: z.int().min(1), ...filterFields })
  .refine(hasFilterTerms, emptyFilterMessage)

export const minimumRule = z
  .strictObject({
    count: z.int().min(1),
    ...filterFields,
    otherwise: z
      .enum(['send', 'hold', 'skip'])
      .default('send')
      .describe('If too few match: the edition is sent anyway, is held for an editor, or is skipped'),
  })
  .refine(hasFilterTerms, emptyFilterMessage)

export const zone = z.string().refine(isTimeZone, 'expected an IANA time zone such as "Europe/London"')

export const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const

export const timeOfDay = z
  .string('expected a time of the day such as "08:00"')
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of the day such as "08:00"')

/** PostgreSQL refuses an index row of more than 2,704 bytes. */
const maxUrlLength = 2000

export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https address' })
  .regex(/^\w+:\/\/[^\s\\]+$/, 'expected an http or https address')
  .refine(
    (url) => Buffer.byteLength(url) <= maxUrlLength,
    `this address has more than ${maxUrlLength} characters: use a shorter one of the same feed`,
  )

/** Whether a value is an object. Checks across keys run on unvalidated input, to report all problems together. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Filter terms for articles; one matching term is enough. */
export type ArticleFilter = { categories: string[]; words: string[]; authors: string[] }
/** At most `count` articles may match. */
export type MaximumRule = z.output<typeof maximumRule>
/** At least `count` articles must match; `otherwise` is the action if too few do. */
export type MinimumRule = z.output<typeof minimumRule>
