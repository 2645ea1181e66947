import { z } from 'zod'
import { sectionContradictions } from './contradictions.ts'
import { duration, filterSchema, httpUrl, isObject, maximumRule, minimumRule } from './fields.ts'

/** The section layouts in an email; each has a template in `templates/email/parts/`. */
export const layouts = ['latest', 'last-word', 'focus', 'tv', 'have-your-say'] as const

/** The schema of one section of a job file. */
export const sectionSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
    title: z.string().min(1).describe('The heading over the section'),
    layout: z.enum(layouts),
    feeds: z.array(httpUrl).default([]),
    minimum: z.int().min(0).default(0).describe('A section with fewer articles than this is thin'),
    maximum: z.int().min(1).max(100).default(10),
    perFeed: z.int().min(1).optional().describe('Maximum number from one feed'),
    perAuthor: z.int().min(1).optional().describe('Maximum number by one author'),
    freshness: duration.optional().describe('Articles first seen longer ago than this are not chosen'),
    include: filterSchema
      .optional()
      .describe('Only articles that match one of these; later sections may have the others'),
    exclude: filterSchema.optional().describe('No articles that match one of these'),
    atLeast: z
      .array(minimumRule)
      .default([])
      .describe('Reserves this number of places for matching articles, even if newer ones would fill the section'),
    atMost: z.array(maximumRule).default([]).describe('Maximum number of matching articles'),
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
        'With fewer articles than the minimum: drop (left out; a later section with the same feed may have its articles), hold (left out; the articles wait for the next edition), backfill (filled from the backfill feed), ask (the edition is held for an editor)',
      ),
    backfill: httpUrl.optional().describe('A feed that is used only when the section is short'),
    text: z.string().optional().describe('A line of your own under the heading'),
    enrich: z
      .boolean()
      .default(false)
      .describe(
        'Fetches the page of an article for the summary, author, picture or whole text that its feed leaves out',
      ),
    alsoCoveredBy: z
      .boolean()
      .default(false)
      .describe('Names the other sources of an article’s story under it: “Also in: …”'),
    body: z
      .enum(['summary', 'full'])
      .default('summary')
      .describe('full: prints the whole text of articles, as far as their feed has it, instead of the summary'),
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
