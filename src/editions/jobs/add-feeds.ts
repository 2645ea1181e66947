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

/** A feed for a section; a section that the digest has not yet gets this title. */
export type FeedPlacement = { section: string; title: string; url: string }

export type JobPaths = { jobs: string; templates: string }

/**
 * Writes feeds into the job file of the digest, and leaves its comments and its form as they are. New sections are added
 * at the end, with the layout `latest`. Returns what was added; a feed that its section has already is left out.
 * AppError `conflict`, and nothing is written, where the file cannot be changed without changing more.
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

/** Under its name only when whole, with the mode and the owner that the file had, whatever our umask is. */
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
    writeFileSync(path, text) // a file of another user that we may write to: only in place does it stay theirs
  }
}

/** The path of the job file of a digest. AppError `missing` where there is none. */
export function jobFilePath(jobs: string, name: string): string {
  const file = [join(jobs, `${name}.yml`), join(jobs, `${name}.yaml`)].find((path) => existsSync(path))
  if (!file) throw new AppError('missing', `there is no file of the digest ${name} in ${jobs}`)
  return file
}

/** The feeds that stand for what a reader fills in: names that are kept for examples (RFC 2606 §3, RFC 6761 §6.5). */
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

/** Whether what is written now is the digest with the feeds wanted, and nothing else. */
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
