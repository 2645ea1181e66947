import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { configSchema } from '../../src/config/config.ts'
import { blankEdition } from '../../src/editions/compose/blank-edition.ts'
import type { Draft, DraftItem, DraftSection } from '../../src/editions/edition.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { toView } from '../../src/messages/edition-view.ts'
import type { EditionView } from '../../src/messages/view.ts'
import type { WholeArticle } from '../../src/store/articles/article.ts'

export const languageNames = ['ar', 'en', 'cy'] as const
export type LanguageName = (typeof languageNames)[number]

type ArticleFixture = {
  title: string
  summary: string
  author: string
  source: string
  picture?: string
  body?: string
  seconds?: number
}
type LetterFixture = { headline: string; text: string; name: string; place: string }
type SectionFixture = Pick<DraftSection['section'], 'layout' | 'title' | 'text'> & {
  articles: ArticleFixture[]
  letters?: LetterFixture[]
}
type EditionFixture = Pick<Draft['digest'], 'language' | 'title' | 'subject' | 'preheader' | 'introduction'> & {
  publication: { name: string; tagline: string; address: string }
  sections: SectionFixture[]
  corrections: { said: string; words: string; gone?: boolean }[]
  blocks?: { heading: string; text: string; link: string }[]
}

const at = '2026-11-27T07:00:00.000Z'

/** The edition of `fixtures/languages`, as a pipeline would hand it to the renderer; `changes` replace its texts. */
export function languageEdition(name: LanguageName, changes: Partial<EditionFixture> = {}): EditionView {
  const read = parse(readFileSync(`fixtures/languages/${name}.yml`, 'utf8')) as EditionFixture
  const { publication, sections, corrections, blocks = [], ...texts } = { ...read, ...changes }
  const minimal = readDigest('fixtures/jobs/minimal.yml', 'templates')
  const drafts = sections.map((section) => toSection(section, minimal.sections[0] as DraftSection['section']))
  const digest = { ...minimal, ...texts, sections: drafts.map(({ section }) => section) }
  const places = { site: 'https://harbour.example', contact: 'letters@harbour.example' }
  const draft: Draft = {
    edition: { ...blankEdition('secret', digest, at, at), number: 31 },
    digest,
    sections: drafts,
    corrections: corrections.map(({ said, words, gone }, index) => ({
      id: `${index}`,
      kind: gone ? 'gone' : 'title',
      said,
      words,
      url: 'https://harbour.example/corrected',
      number: 30,
      dueAt: '2026-11-20T07:00:00.000Z',
    })) as Draft['corrections'],
    slot: '~~~~',
    edited: {
      editIds: [],
      blocks: blocks.map(({ heading, text, link }) => ({
        heading,
        text,
        link: { url: 'https://harbour.example/block', text: link },
        picture: null,
        before: '',
      })),
    },
  }
  return toView(draft, configSchema.parse({ publication: { ...publication, ...places } }))
}

function toSection({ layout, title, text, articles, letters = [] }: SectionFixture, model: DraftSection['section']) {
  const items: DraftItem[] = [
    ...letters.map((letter, index) => ({
      kind: 'letter' as const,
      letter: { id: `${index}`, version: 1, receivedAt: at, ...letter, text: letter.text.trim() },
    })),
    ...articles.map((article, index) => ({
      kind: 'article' as const,
      article: toArticle(article, `${layout}-${index}`),
    })),
  ]
  const body = articles.some((article) => article.body) ? ('full' as const) : model.body
  return { section: { ...model, name: layout, layout, title, text, body }, items }
}

function toArticle({ picture, body, seconds, ...texts }: ArticleFixture, id: string): WholeArticle {
  return {
    id,
    url: `https://harbour.example/${id}`,
    publishedAt: '2026-11-24T12:00:00.000Z',
    seenAt: at,
    image: picture === undefined ? null : { url: `https://harbour.example/${id}.jpg`, alt: picture },
    video: seconds === undefined ? null : { url: '', seconds },
    body: body === undefined ? null : { html: body, cut: true },
    ...texts,
  } as unknown as WholeArticle
}
