import { expect, test } from 'vitest'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import { applyEdits } from '../../src/editions/edits/apply-edits.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { toView } from '../../src/messages/edition-view.ts'
import type { WholeArticle } from '../../src/store/articles/article.ts'

const publication = { name: 'Quay', site: 'https://quay.example', contact: 'a@quay.example', address: 'Quay 1' }
const config = configSchema.parse({ publication })
const at = '2026-11-27T07:00:00.000Z'
const picture = { url: 'https://quay.example/pier.jpg', width: 640, height: 400, alt: 'The pier' }
const portrait = { url: 'https://people.example/mira.jpg', width: 96, height: 96, alt: '' }
const another = { url: 'https://quay.example/another.jpg', alt: '' }

test.each([
  ['last-word', [], portrait.url],
  ['latest', [], picture.url],
  ['last-word', [another], another.url],
  ['last-word', [null], undefined],
] as const)('the layout %s after the edits %j shows %s', (layout, edits, expected) => {
  const changes = edits.map((picture, index) => ({
    ...{ id: `${index}`, kind: 'picture' as const, target: 'a', data: { headline: 'A', picture } },
    ...{ editionId: 'e', who: 'Ada', at },
  }))
  expect(viewOf(layout, { image: picture, portrait }, changes).sections[0]?.lead?.image?.url).toBe(expected)
})

test.each([
  ['2026-11-26T09:00:00.000Z', '2026-11-26'],
  ['2027-11-26T09:00:00.000Z', ''],
  ['1970-01-01T00:00:00.000Z', ''],
])('the date %s is printed as “%s”', (publishedAt, isoDate) => {
  expect(viewOf('latest', { publishedAt }).sections[0]?.lead?.isoDate).toBe(isoDate)
})

function viewOf(layout: 'latest' | 'last-word', given: Partial<WholeArticle>, edits: unknown[] = []) {
  const digest = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const [section] = digest.sections
  if (!section) throw new Error('no section')
  const article = {
    id: 'a',
    title: 'A',
    summary: '',
    source: '',
    publishedAt: null,
    seenAt: at,
    ...given,
  } as WholeArticle
  const draft = {
    edition: { ...blankEdition('secret', digest, at, at), number: 1 },
    digest,
    sections: [{ section: { ...section, layout }, items: [{ kind: 'article' as const, article }] }],
    corrections: [],
    slot: '~',
  }
  return toView(applyEdits(draft, edits as never), config)
}
