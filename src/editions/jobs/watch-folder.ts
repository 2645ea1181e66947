import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { AppError } from '../../errors.ts'
import type { JobProblem } from '../../store/system/job-readers.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { digestNameOf, type JobFolder, readJobTexts } from './read-folder.ts'
import { parseDigest } from './read-job.ts'

export type JobChange = { digest: string; file: string; kind: 'added' | 'changed' | 'removed' }

/** The changed digests, and in `rejected` the problems that the previous scan did not find. */
export type JobFolderScan = { changes: JobChange[]; rejected: JobProblem[] }

type KnownJob = { digest: Digest; file: string; readAt: Instant; text?: string }

/**
 * Watches the job files of a folder. A change or deletion takes effect once two scans in a row find it, so half-written
 * files are never loaded. A digest whose file has an error keeps its previous version, and the last digest is never
 * removed: an empty folder is a mistake or an unmounted disk.
 */
export class JobFolderWatcher {
  readonly #folder: string
  readonly #templates: string
  readonly #known = new Map<string, KnownJob>()
  /** File contents by file name, from the previous scan. */
  #before: Map<string, string>
  #problems = new Map<string, JobProblem>()

  /** `digests` and `rejected` were read from the folder at `now`; a rejected file has no earlier version. */
  constructor(
    { jobs, templates }: { jobs: string; templates: string },
    { digests, rejected }: JobFolder,
    now: Instant,
  ) {
    this.#folder = jobs
    this.#templates = templates
    for (const digest of digests) this.#known.set(digest.name, { digest, file: `${digest.name}.yml`, readAt: now })
    this.#before = new Map(digests.map(({ name }) => [`${name}.yml`, '']))
    for (const { file, message } of rejected)
      this.#problems.set(basename(file), {
        file,
        message,
        since: now,
        runsBy: this.#known.get(digestNameOf(file))?.readAt ?? null,
      })
  }

  /** The current digests, sorted by file name. */
  get digests(): Digest[] {
    return [...this.#known.values()].sort((a, b) => (a.file < b.file ? -1 : 1)).map(({ digest }) => digest)
  }

  get problems(): JobProblem[] {
    return [...this.#problems.values()]
  }

  scan(now: Instant): JobFolderScan {
    let found = new Map<string, string>()
    const changes: JobChange[] = []
    try {
      const { texts: files, problems, unread } = readJobTexts(this.#folder)
      found = problems
      for (const [file, text] of files) {
        const isSettled = this.#before.get(file) === text
        const problem = this.#problems.get(file)
        if (isSettled) changes.push(...this.#take(file, text, found, now))
        else if (problem) found.set(file, problem.message) // the file is being written: keep its known problem
      }
      changes.push(...this.#dropMissing([...files.keys(), ...unread], found))
      this.#before = new Map([...files, ...unread.map((file) => [file, ''] as const)])
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      found.set(this.#folder, error.message)
    }
    return { changes, rejected: this.#settle(found, now) }
  }

  #take(file: string, text: string, found: Map<string, string>, now: Instant): JobChange[] {
    const known = this.#known.get(digestNameOf(file))
    if (known?.text === text && !this.#problems.has(file)) return []
    try {
      const digest = parseDigest(text, join(this.#folder, file), this.#templates)
      const isSame = known !== undefined && isDeepStrictEqual(known.digest, digest)
      this.#known.set(digest.name, { digest: isSame ? known.digest : digest, file, text, readAt: now })
      return isSame ? [] : [{ digest: digest.name, file, kind: known ? 'changed' : 'added' }]
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      found.set(file, error.message)
      return []
    }
  }

  #dropMissing(here: string[], found: Map<string, string>): JobChange[] {
    const isThere = (name: string, names: Iterable<string>) => [...names].some((file) => digestNameOf(file) === name)
    const gone = [...this.#known.values()].filter(
      ({ digest: { name } }) => !isThere(name, here) && !isThere(name, this.#before.keys()),
    )
    if (gone.length === this.#known.size && gone.length > 0) {
      found.set(this.#folder, `${this.#folder} holds no job file any more`)
      return []
    }
    for (const { digest } of gone) this.#known.delete(digest.name)
    return gone.map(({ digest, file }) => ({ digest: digest.name, file, kind: 'removed' }))
  }

  /** Stores the problems found, keeping the `since` of known ones, and returns the new ones. */
  #settle(found: Map<string, string>, now: Instant): JobProblem[] {
    const before = this.#problems
    this.#problems = new Map(
      [...found].map(([file, message]) => {
        const known =
          file === this.#folder ? (before.get(file)?.runsBy ?? now) : this.#known.get(digestNameOf(file))?.readAt
        const path = file === this.#folder ? file : join(this.#folder, file)
        return [file, { file: path, message, since: before.get(file)?.since ?? now, runsBy: known ?? null }]
      }),
    )
    return this.problems.filter((problem) => ![...before.values()].some(({ message }) => message === problem.message))
  }
}
