import { z } from 'zod'
import { digestContradictions, timeContradictions } from './contradictions.ts'
import {
  duration,
  durationOrOff,
  isObject,
  languageTag,
  mailbox,
  maximumRule,
  minimumRule,
  subjectPattern,
  timeOfDay,
  weekdays,
  zone,
} from './fields.ts'
import { schedule } from './schedule-schema.ts'
import { sectionSchema } from './section-schema.ts'

/** The schema of a job file in `jobs/`. Unknown keys are errors with file and line. */
export const digestSchema = z
  .strictObject({
    title: z.string().min(1).describe('The name of the newsletter, as subscribers know it'),
    schedule: schedule.describe(
      'Five cron fields: minute hour day-of-month month weekday, in the zone below; or a calendar with dates to skip',
    ),
    zone: zone.describe(
      'IANA time zone; at a clock change a skipped time runs at the change, and a repeated time runs once',
    ),
    subject: subjectPattern.describe('The subject line, with placeholders'),
    preheader: subjectPattern.describe('The grey line after the subject in an inbox'),
    from: mailbox,
    replyTo: z.email('expected an email address').optional().describe('The contact address of lastword.yml if absent'),
    language: languageTag
      .optional()
      .describe('Language tag such as cy or en-GB, also of the fixed words; that of the publication if absent'),
    template: z.string().default('digest').describe('templates/email/<template>.mjml.hbs and .txt.hbs'),
    introduction: z.string().optional().describe('A paragraph at the top of every edition'),
    approval: z.enum(['auto', 'required']).default('required'),
    archive: z
      .enum(['on', 'off'])
      .default('on')
      .describe('off: the digest and its editions have no public page, and its emails have no link to one'),
    pictures: z
      .enum(['own', 'link', 'none'])
      .default('own')
      .describe(
        'own: pictures are checked, made smaller and served from web.url; link: from the addresses in the feeds; none',
      ),
    thin: z
      .strictObject({
        minimum: z.int().min(0).default(1).describe('An edition with fewer articles than this is thin'),
        rule: z.enum(['skip', 'hold', 'send']).default('skip'),
        longestSilence: duration
          .optional()
          .describe('If the last edition is older than this, a thin one is sent instead of skipped'),
        notify: z.boolean().default(false).describe('Email the editors about every skipped run'),
      })
      .prefault({}),
    atLeast: z
      .array(minimumRule)
      .default([])
      .describe('Reserves this number of places, in any section, for matching articles'),
    atMost: z
      .strictObject({
        author: z.int().min(1).optional(),
        feed: z.int().min(1).optional(),
        matching: z.array(maximumRule).default([]).describe('Maximum number of matching articles'),
      })
      .prefault({})
      .describe('Maximum numbers for the whole edition: of one author, of one feed, and of matching articles'),
    flood: z
      .strictObject({
        known: z.int().min(1).default(5).describe('More new articles than this with known addresses or titles'),
        times: z.int().min(2).default(10).describe('More new articles than this many times the usual number'),
      })
      .prefault({})
      .describe('If a feed suddenly has this many new articles, they wait for an editor'),
    pending: z
      .strictObject({
        for: durationOrOff
          .default('28d')
          .describe('An article is no longer considered after editions left it out for this long; or off'),
      })
      .prefault({})
      .describe('When an article that no edition chose expires'),
    lateCheck: z
      .boolean()
      .default(true)
      .describe(
        'Checks the page of each chosen article just before the edition is locked; an article whose page is gone is left out',
      ),
    corrections: z
      .strictObject({
        for: durationOrOff
          .default('14d')
          .describe('How long after its approval the articles of an edition are checked for changes; or off'),
      })
      .prefault({})
      .describe(
        'Proposes a correction to the editors when a headline changes, a correction note appears or a page is gone',
      ),
    missed: z
      .strictObject({
        within: duration.default('12h').describe('A missed run is made up within this time, and skipped after it'),
      })
      .prefault({}),
    window: z
      .strictObject({
        from: timeOfDay.describe('No message is sent before this time of day …'),
        to: timeOfDay.describe('… or after this one; if it is earlier than from, it is a time of the next day'),
        days: z
          .array(z.enum(weekdays))
          .min(1)
          .default([...weekdays])
          .describe('Days on which the window opens'),
      })
      .refine(({ from, to }) => from !== to, { path: ['to'], message: 'is the same as from' })
      .optional()
      .describe('Messages are sent only in these hours of the zone; the others wait until the window opens again'),
    canary: z
      .strictObject({
        share: z
          .number()
          .positive()
          .max(0.5)
          .default(0.02)
          .describe('The share of the subscribers who are sent to first, at least ten people'),
        minimum: z
          .int()
          .min(20)
          .default(500)
          .describe('Applies to each mail provider with at least this number of subscribers'),
        wait: duration.default('30m').describe('How long the others wait after the first share'),
        refusals: z
          .number()
          .min(0)
          .max(1)
          .default(0.05)
          .describe('The edition is paused if a larger part of the first share is refused, or deferred by policy'),
      })
      .optional()
      .describe('Sends to a first share of each large mail provider, and to the others only if it is accepted'),
    localTime: z.boolean().default(false).describe('Sends to each subscriber at the scheduled hour in their own zone'),
    lead: duration
      .optional()
      .describe(
        'With localTime the edition is made this long before the hour of the first zone, to leave time for approval',
      ),
    unknown: z
      .enum(['repeat', 'hold'])
      .default('repeat')
      .describe(
        'For a delivery that was cut off during the answer of the relay: repeat it with the same Message-ID, or hold it',
      ),
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
            message: `a section named "${name}" is defined twice`,
          })
        }
      })
      for (const problem of digestContradictions(it)) check.addIssue({ code: 'custom', ...problem })
    },
    { when: ({ value }) => isObject(value) },
  )

/** The JSON Schema (draft 2020-12) of a job file, for completion and validation in text editors. */
export function digestJsonSchema(): object {
  return { title: 'A digest of Lastword', ...z.toJSONSchema(digestSchema, { io: 'input' }) }
}
