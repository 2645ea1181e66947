import { readFile } from 'node:fs/promises'
import { addMs, hour, type Instant, minute, toInstant } from '../time/clock.ts'

/** The made-up magazine in `fixtures/demo`, with dates relative to one time. */
export type Magazine = {
  name: string
  tagline: string
  contact: string
  sections: MagazineSection[]
}

export type MagazineSection = {
  name: 'latest' | 'last-word' | 'focus' | 'tv'
  title: string
  /** The path of its articles: `/news/<slug>`. */
  path: string
  feed: string
  /** Newest first. */
  articles: MagazineArticle[]
}

export type MagazineArticle = {
  slug: string
  path: string
  title: string
  standfirst: string
  /** Paragraphs. */
  body: string[]
  author: string
  /** The profession of the author of an opinion piece; empty for staff. */
  role: string
  category: string
  picture: Picture
  publishedAt: Instant
  /** The length of a film in seconds; 0 for a text. */
  seconds: number
}

export type Picture = { path: string; alt: string; width: number; height: number }

type StoredArticle = Pick<MagazineArticle, 'slug' | 'title' | 'standfirst' | 'body' | 'author' | 'category'> & {
  role?: string
  picture: string
  hoursAgo: number
  seconds?: number
}

const fixtures = new URL('../../fixtures/demo/', import.meta.url)

const sectionPlan: Omit<MagazineSection, 'articles'>[] = [
  { name: 'latest', title: 'Latest news', path: '/news', feed: '/feeds/latest.xml' },
  { name: 'last-word', title: 'Last word', path: '/last-word', feed: '/feeds/last-word.xml' },
  { name: 'focus', title: 'Public sector focus', path: '/focus', feed: '/feeds/focus.xml' },
  { name: 'tv', title: 'Civic Ledger TV', path: '/tv', feed: '/feeds/tv.xml' },
]

export async function readMagazine(now: Instant): Promise<Magazine> {
  const alts = await readJson<Record<string, string>>('pictures.json')
  const sections: MagazineSection[] = []
  for (const section of sectionPlan) {
    const stored = await readJson<StoredArticle[]>(`articles/${section.name}.json`)
    const articles = stored.toSorted((a, b) => a.hoursAgo - b.hoursAgo)
    sections.push({ ...section, articles: articles.map((article) => toArticle(article, section.path, alts, now)) })
  }
  return {
    name: 'Civic Ledger',
    tagline: 'The weekly record of public service',
    contact: 'letters@civicledger.example',
    sections,
  }
}

/** The bytes of a file in `fixtures/demo`. */
export function readFixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return readFile(new URL(name, fixtures)) as Promise<Uint8Array<ArrayBuffer>>
}

/** The names of all pictures, without `.jpg`. */
export async function pictureNames(): Promise<string[]> {
  return Object.keys(await readJson<Record<string, string>>('pictures.json'))
}

async function readJson<Shape>(name: string): Promise<Shape> {
  return JSON.parse(await readFile(new URL(name, fixtures), 'utf8')) as Shape
}

function toArticle(stored: StoredArticle, path: string, alts: Record<string, string>, now: Instant): MagazineArticle {
  const { picture, hoursAgo, role = '', seconds = 0, ...rest } = stored
  const portrait = path === '/last-word'
  return {
    ...rest,
    role,
    seconds,
    path: `${path}/${stored.slug}`,
    publishedAt: floorToMinute(addMs(now, -hoursAgo * hour)),
    picture: {
      path: `/pictures/${picture}.jpg`,
      alt: alts[picture] ?? '',
      width: portrait ? 400 : 1200,
      height: portrait ? 400 : 675,
    },
  }
}

function floorToMinute(instant: Instant): Instant {
  return toInstant(Math.floor(Date.parse(instant) / minute) * minute)
}

/** `4:05` for 245 seconds. */
export function filmLengthText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
