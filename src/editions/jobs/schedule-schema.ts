import { z } from 'zod'
import { day } from '../../time/clock.ts'
import { type Calendar, calendarText, type SkippedDates } from '../schedule/calendar.ts'
import { cronSchedule, timeOfDay } from './fields.ts'

const dateMessage = 'expected a date such as "2026-12-25"'
const date = z.string(dateMessage).superRefine((text, check) => {
  if (!isDate(text)) check.addIssue({ code: 'custom', message: dateMessage })
})

const maxSkippedDays = 366

const skippedDates = z
  .strictObject({
    on: date.optional().describe('The one date that is skipped'),
    from: date.optional().describe('The first date that is skipped …'),
    to: date.optional().describe('… and the last one'),
    name: z.string().min(1).optional().describe('The name of the holiday, for the timetable and the studio'),
    content: z
      .enum(['keep', 'drop'])
      .default('keep')
      .describe('keep: the articles stay pending. drop: they become backlog and are never mailed'),
    shift: z
      .enum(['before', 'after', 'none'])
      .optional()
      .describe(
        'The run is made on the nearest day before or after that is not skipped; that of the schedule if absent',
      ),
  })
  .superRefine(({ on, from, to }, check) => {
    const isPair = on === undefined && from !== undefined && to !== undefined
    if (!isPair && (on === undefined || from !== undefined || to !== undefined)) {
      check.addIssue({ code: 'custom', message: 'expected on, or from and to' })
    } else if (from !== undefined && to !== undefined && from > to) {
      check.addIssue({ code: 'custom', path: ['to'], message: 'is before from' })
    } else if (from !== undefined && to !== undefined && Date.parse(to) - Date.parse(from) > maxSkippedDays * day) {
      check.addIssue({ code: 'custom', path: ['to'], message: `is more than ${maxSkippedDays} days after from` })
    }
  })

const everyMessage = 'expected a number of weeks or months such as "2 weeks" or "1 month"'

const calendar = z
  .strictObject({
    cron: cronSchedule.optional().describe('Five cron fields'),
    every: z
      .string(everyMessage)
      .regex(/^[1-9]\d? (?:weeks?|months?)$/, everyMessage)
      .optional()
      .describe('Instead of cron: a number of weeks or months apart, from a date on'),
    from: date.optional().describe('With every: the date of the first run'),
    at: timeOfDay.optional().describe('With every: the time of day'),
    skip: z
      .array(z.union([date, skippedDates]))
      .default([])
      .describe('Dates on which no edition is made'),
    shift: z
      .enum(['before', 'after', 'none'])
      .default('none')
      .describe('What becomes of a run on a skipped date: it is made on a day before or after, or not at all'),
    pauseUntil: date.optional().describe('No edition is made before this date'),
  })
  .superRefine((it, check) => {
    const add = (message: string, path: (string | number)[] = []) => check.addIssue({ code: 'custom', path, message })
    if ((it.cron === undefined) === (it.every === undefined)) add('expected cron or every')
    for (const key of ['from', 'at'] as const) {
      if (it.every !== undefined && it[key] === undefined) add(`every needs ${key}`)
      if (it.every === undefined && it[key] !== undefined) add('belongs to every', [key])
    }
    it.skip.forEach((one, index) => {
      if (typeof one !== 'string' && one.content === 'drop' && (one.shift ?? it.shift) !== 'none')
        add('has no effect on a run that is shifted: add shift: none', ['skip', index, 'content'])
    })
  })
  .transform(({ cron, every, from, at, skip, shift, pauseUntil }): string => {
    const times: { cron: string } | { every: string; from: string; at: string } =
      cron === undefined ? { every: every ?? '', from: from ?? '', at: at ?? '' } : { cron }
    const calendar: Calendar = {
      ...times,
      skip: skip.map((one) => skippedDatesOf(one, shift)),
      pauseUntil: pauseUntil ?? null,
    }
    return calendarText(calendar)
  })

/** Five cron fields, or a calendar; the output is the text of `calendarText`. */
export const schedule = z.union([cronSchedule, calendar])

function skippedDatesOf(given: string | z.output<typeof skippedDates>, usual: SkippedDates['shift']): SkippedDates {
  if (typeof given === 'string') return { from: given, to: given, name: null, content: 'keep', shift: usual }
  const { on, from, to, name, content, shift } = given
  return { from: on ?? from ?? '', to: on ?? to ?? '', name: name ?? null, content, shift: shift ?? usual }
}

function isDate(text: string): boolean {
  const milliseconds = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(text)
}
