import { describeReason } from '../../src/describe/describe.ts'
import { selectArticles } from '../../src/editions/choice/select.ts'
import type { Digest, Section } from '../../src/editions/digest.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import type { Candidate } from '../../src/store/articles/articles.ts'

export const now = '2026-11-27T07:00:00.000Z'
export const news = 'https://harbour.example/latest.xml'

/** An article of that feed that waits for an edition. The lower its number, the newer. */
export function article(id: string, given: Partial<Candidate> = {}): Candidate {
  const url = `https://harbour.example/${id}`
  return {
    id,
    feedId: 'feed',
    feedUrl: news,
    source: 'Harbour',
    identity: id,
    url,
    canonical: url,
    title: id,
    summary: '',
    author: '',
    image: null,
    video: null,
    categories: [],
    publishedAt: `2026-11-26T07:00:00.0${String(99 - Number(id.replace(/\D/g, '') || 0)).padStart(2, '0')}Z`,
    updatedAt: null,
    note: '',
    seenAt: '2026-11-26T08:00:00.000Z',
    ...given,
  }
}

/** The smallest digest with these sections, which read that feed. */
export function digest(given: Partial<Digest>, ...sections: Partial<Section>[]): Digest {
  const minimal = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const [section] = minimal.sections
  if (!section) throw new Error('no section')
  return { ...minimal, ...given, sections: sections.map((one) => ({ ...section, feeds: [news], ...one })) }
}

/** What becomes of each article: its section and position, or why it waits. */
export const outcome = (pending: Candidate[], rules: Digest) =>
  Object.fromEntries(
    selectArticles(pending, rules, now).map(({ article, section, position, reason }) => [
      article.id,
      position === null ? describeReason(reason) : `${section} ${position}`,
    ]),
  )
