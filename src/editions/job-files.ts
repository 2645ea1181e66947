import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Instant } from '../clock.ts'
import { AppError, messageOf, systemCode } from '../errors.ts'
import type { JobProblem } from '../store/job-readers.ts'
import { utf8Text } from '../yaml.ts'
import { type Digest, isJobFile, parseDigest } from './digest.ts'

export type JobChange = { digest: string; file: string; kind: 'added' | 'changed' | 'removed' }

/** The digests changed as `changes` says; `rejected` are the problems that the look before had not found. */
export type JobLook = { changes: JobChange[]; rejected: JobProblem[] }

type Known = { digest: Digest; file: string; readAt: Instant; text?: string }

const maxBytes = 1024 * 1024

/**
 * The job files of a folder, as they change under a running process. A file is taken over once two looks in a row found
 * the same in it, so that nothing is read in the middle of a save or of a checkout. One with an error changes nothing:
 * its digest runs by the version before. A file that two looks in a row do not find takes its digest away, but for the
 * last one: an empty folder is a mistake, or a disk that is not mounted.
 */
export class JobFiles {
  readonly #folder: string
  readonly #templates: string
  readonly #known = new Map<string, Known>()
  /** File name to content, by the look before. */
  #before: Map<string, string>
  #problems = new Map<string, JobProblem>()

  /** `digests` are those that were read from the folder at `now`. */
  constructor({ jobs, templates }: { jobs: string; templates: string }, digests: Digest[], now: Instant) {
    this.#folder = jobs
    this.#templates = templates
    for (const digest of digests) this.#known.set(digest.name, { digest, file: `${digest.name}.yml`, readAt: now })
    this.#before = new Map(digests.map(({ name }) => [`${name}.yml`, '']))
  }

  /** In the order of their files' names. */
  get digests(): Digest[] {
    return [...this.#known.values()].sort((a, b) => (a.file < b.file ? -1 : 1)).map(({ digest }) => digest)
  }

  get problems(): JobProblem[] {
    return [...this.#problems.values()]
  }

  look(now: Instant): JobLook {
    const found = new Problems()
    const changes: JobChange[] = []
    try {
      const files = this.#read(found)
      for (const [file, text] of files) {
        const isSettled = this.#before.get(file) === text
        const problem = this.#problems.get(file)
        if (isSettled) changes.push(...this.#take(file, text, found, now))
        else if (problem) found.add(file, problem.message) // it is being written: what was said of it stands
      }
      changes.push(...this.#dropMissing(files, found))
      this.#before = new Map([...files, ...found.unread.map((file) => [file, ''] as const)])
    } catch (error) {
      found.add(this.#folder, `${this.#folder} cannot be read: ${messageOf(error)}`)
    }
    return { changes, rejected: this.#settle(found, now) }
  }

  /** What is in each job file. Of two files with one name that with the ending `.yml` counts. */
  #read(found: Problems): Map<string, string> {
    const files = readdirSync(this.#folder).filter(isJobFile).sort()
    const texts = new Map<string, string>()
    for (const file of files) {
      const path = join(this.#folder, file)
      if (/\.yaml$/i.test(file) && files.includes(file.replace(/aml$/i, 'ml'))) {
        found.add(file, `${path}: another file beside it has the same name and the ending .yml`)
        continue
      }
      try {
        texts.set(file, readJobText(path))
      } catch (error) {
        if (systemCode(error) === 'ENOENT') continue // it went away since the folder was listed
        found.add(file, error instanceof AppError ? error.message : `${path} cannot be read: ${messageOf(error)}`)
        found.unread.push(file)
      }
    }
    return texts
  }

  #take(file: string, text: string, found: Problems, now: Instant): JobChange[] {
    const known = this.#known.get(nameOf(file))
    if (known?.text === text && !this.#problems.has(file)) return []
    try {
      const digest = parseDigest(text, join(this.#folder, file), this.#templates)
      const isSame = known !== undefined && isDeepStrictEqual(known.digest, digest)
      this.#known.set(digest.name, { digest: isSame ? known.digest : digest, file, text, readAt: now })
      return isSame ? [] : [{ digest: digest.name, file, kind: known ? 'changed' : 'added' }]
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      found.add(file, error.message)
      return []
    }
  }

  #dropMissing(files: Map<string, string>, found: Problems): JobChange[] {
    const isThere = (name: string, names: Iterable<string>) => [...names].some((file) => nameOf(file) === name)
    const here = [...files.keys(), ...found.unread]
    const gone = [...this.#known.values()].filter(
      ({ digest: { name } }) => !isThere(name, here) && !isThere(name, this.#before.keys()),
    )
    if (gone.length === this.#known.size && gone.length > 0) {
      found.add(this.#folder, `${this.#folder} holds no job file any more`)
      return []
    }
    for (const { digest } of gone) this.#known.delete(digest.name)
    return gone.map(({ digest, file }) => ({ digest: digest.name, file, kind: 'removed' }))
  }

  /** Keeps since when a problem is there. */
  #settle(found: Problems, now: Instant): JobProblem[] {
    const before = this.#problems
    this.#problems = new Map(
      [...found.messages].map(([file, message]) => {
        const known = file === this.#folder ? (before.get(file)?.runsBy ?? now) : this.#known.get(nameOf(file))?.readAt
        const path = file === this.#folder ? file : join(this.#folder, file)
        return [file, { file: path, message, since: before.get(file)?.since ?? now, runsBy: known ?? null }]
      }),
    )
    return this.problems.filter((problem) => ![...before.values()].some(({ message }) => message === problem.message))
  }
}

class Problems {
  readonly messages = new Map<string, string>()
  /** Files that are there, and cannot be read. */
  readonly unread: string[] = []

  add(file: string, message: string): void {
    this.messages.set(file, message)
  }
}

function nameOf(file: string): string {
  return basename(file).replace(/\.ya?ml$/i, '')
}

/** Only of regular files: to read from a pipe would wait for its writer. */
function readJobText(path: string): string {
  const stat = statSync(path)
  if (!stat.isFile()) throw new AppError('invalid', `${path} is not a file`)
  if (stat.size > maxBytes)
    throw new AppError('invalid', `${path} has ${stat.size} bytes: expected ${maxBytes} at most`)
  return utf8Text(readFileSync(path), path)
}
