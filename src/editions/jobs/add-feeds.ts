import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { type Addition, addToYaml } from '../../config/yaml-additions.ts'
import { AppError, systemCode } from '../../errors.ts'
import type { Digest, Section } from '../digest.ts'
import { parseDigest } from './read-job.ts'

/** A feed for a section. `title` is the title of the section if it is new. */
export type FeedPlacement = { section: string; title: string; url: string }

export type JobPaths = { jobs: string; templates: string }

/**
 * Adds feeds to the digest's job file, keeping comments and formatting, with new sections at the end in the layout
 * `latest`. Returns the added feeds, without those the section already has. AppError `conflict`, and no write, if the
 * file cannot be changed without other changes.
 */
export function addFeedsToJobFile(
  { jobs, templates }: JobPaths,
  digest: Digest,
  placed: FeedPlacement[],
): FeedPlacement[] {
  const file = jobFilePath(jobs, digest.name)
  const text = readFileSync(file, 'utf8')
  const wanted = placed.filter(({ section, url }) => !sectionOf(digest, section)?.feeds.includes(url))
  if (wanted.length === 0) return []
  const changed = addToYaml(text, yamlAdditions(digest, wanted))
  if (!isDigestWithFeeds(parseDigest(changed, file, templates), digest, wanted))
    throw new AppError('conflict', `${file} is written in a way that cannot be added to`, {
      hint: `Add by hand: ${wanted.map(({ section, url }) => `to the feeds of ${section}: ${url}`).join('; ')}`,
    })
  replaceFile(realpathSync(file), changed)
  return wanted
}

/** Replaces a file atomically, keeping its mode and owner whatever the umask. */
function replaceFile(path: string, text: string): void {
  const { uid, gid, mode } = statSync(path)
  const written = `${path}.new`
  writeFileSync(written, text)
  try {
    chownSync(written, uid, gid)
    chmodSync(written, mode)
    renameSync(written, path)
  } catch (error) {
    rmSync(written, { force: true })
    if (systemCode(error) !== 'EPERM') throw error
    writeFileSync(path, text) // the file belongs to another user: only a write in place keeps its owner
  }
}

/** The path of a digest's job file. Throws AppError `missing` if there is none. */
export function jobFilePath(jobs: string, name: string): string {
  const file = [join(jobs, `${name}.yml`), join(jobs, `${name}.yaml`)].find((path) => existsSync(path))
  if (!file) throw new AppError('missing', `there is no file of the digest ${name} in ${jobs}`)
  return file
}

/** The placeholder feeds of a section: those on host names reserved for examples (RFC 2606 §3, RFC 6761 §6.5). */
export function exampleFeeds({ feeds }: Pick<Section, 'feeds'>): string[] {
  return feeds.filter((url) => /(?:^|\.)example(?:\.(?:com|net|org))?$/.test(new URL(url).hostname))
}

function sectionOf(digest: Digest, name: string) {
  return digest.sections.find((section) => section.name === name)
}

function yamlAdditions(digest: Digest, wanted: FeedPlacement[]): Addition[] {
  const known = wanted.flatMap(({ section, url }) => {
    const index = digest.sections.findIndex((one) => one.name === section)
    return index < 0 ? [] : [{ path: ['sections', index, 'feeds'], value: url }]
  })
  return [...known, ...newSections(digest, wanted).map((value) => ({ path: ['sections'], value }))]
}

function newSections(digest: Digest, wanted: FeedPlacement[]) {
  const fresh = Map.groupBy(
    wanted.filter(({ section }) => !sectionOf(digest, section)),
    ({ section }) => section,
  )
  return [...fresh].map(([name, feeds]) => ({
    name,
    title: feeds[0]?.title ?? name,
    layout: 'latest' as const,
    feeds: feeds.map(({ url }) => url),
  }))
}

/** Whether the written digest differs from the old one only by the wanted feeds. */
function isDigestWithFeeds(written: Digest, digest: Digest, wanted: FeedPlacement[]): boolean {
  const grown = digest.sections.map((section) => {
    const added = wanted.filter((one) => one.section === section.name).map(({ url }) => url)
    return { ...section, feeds: [...section.feeds, ...added] }
  })
  const fresh = newSections(digest, wanted).map(({ name, feeds }) => ({ name, feeds }))
  const end = written.sections.slice(grown.length).map(({ name, feeds }) => ({ name, feeds }))
  const whole = { ...written, sections: written.sections.slice(0, grown.length) }
  return isDeepStrictEqual(whole, { ...digest, sections: grown }) && isDeepStrictEqual(end, fresh)
}
