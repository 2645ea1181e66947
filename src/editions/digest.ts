import type { z } from 'zod'
import type { digestSchema } from './jobs/digest-schema.ts'
import type { sectionSchema } from './jobs/section-schema.ts'

export type Section = z.output<typeof sectionSchema>
/** A recurring newsletter, with the name of its file. */
export type Digest = z.output<typeof digestSchema> & { name: string }

/** The addresses of all feeds of the digest, once each, the preferred first: in the order of the sections, then what fills up. */
export function feedUrlsOf(digest: Digest): string[] {
  const backfills = digest.sections.flatMap(({ backfill }) => (backfill === undefined ? [] : [backfill]))
  return [...new Set([...digest.sections.flatMap((section) => section.feeds), ...backfills])]
}

/** Those of them that stand in a section with `body: full`. */
export function fullTextFeedUrls(digest: Digest): string[] {
  return feedUrlsOf({ ...digest, sections: digest.sections.filter(({ body }) => body === 'full') })
}
