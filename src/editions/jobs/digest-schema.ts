import { z } from 'zod'
import { digestContradictions, timeContradictions } from './contradictions.ts'
import {
  cronSchedule,
  duration,
  durationOrOff,
  isObject,
  mailbox,
  maximumRule,
  minimumRule,
  subjectPattern,
  timeOfDay,
  weekdays,
  zone,
} from './fields.ts'
import { sectionSchema } from './section-schema.ts'

/** The schema of a job file in `jobs/`. Unknown keys are errors with file and line. */
export const digestSchema = z
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

/** The JSON Schema (draft 2020-12) of a job file, for completion and validation in text editors. */
export function digestJsonSchema(): object {
  return { title: 'A digest of Lastword', ...z.toJSONSchema(digestSchema, { io: 'input' }) }
}
