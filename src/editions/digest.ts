import type { z } from 'zod'
import type { digestSchema } from './jobs/digest-schema.ts'
import type { sectionSchema } from './jobs/section-schema.ts'

export type Section = z.output<typeof sectionSchema>
/** A recurring newsletter; `name` is the name of its job file. */
export type Digest = z.output<typeof digestSchema> & { name: string }

/** The language tag of a digest; that of the publication if it sets none, or if its job file is gone. */
export function languageOf(digest: Pick<Digest, 'language'> | undefined, publication: { language: string }): string {
  return digest?.language ?? publication.language
}

/**
 * The URLs of all feeds of the digest without duplicates: section feeds in order of the sections, then backfill feeds.
 */
export function feedUrlsOf(digest: Digest): string[] {
  const backfills = digest.sections.flatMap(({ backfill }) => (backfill === undefined ? [] : [backfill]))
  return [...new Set([...digest.sections.flatMap((section) => section.feeds), ...backfills])]
}

/** The feed URLs of sections with `body: full`. */
export function fullTextFeedUrls(digest: Digest): string[] {
  return feedUrlsOf({ ...digest, sections: digest.sections.filter(({ body }) => body === 'full') })
}
