import { resolve } from 'node:path'
import { type App, setDigests } from '../app.ts'
import { digestNameOf, type RejectedJob } from '../editions/jobs/read-folder.ts'
import { type JobChange, JobFolderWatcher } from '../editions/jobs/watch-folder.ts'
import { recordJobFileAway } from '../store/digests/digests.ts'
import { newId } from '../store/id.ts'
import { type JobProblem, removeJobReader, saveJobReader } from '../store/system/job-readers.ts'
import { type Instant, msBetween, second } from '../time/clock.ts'
import { saveSchedule } from './schedule-changes.ts'

/** How often this process renews its row in the store if the job files have not changed. */
const heartbeatMs = 30 * second

function toRejected({ file, message }: JobProblem): RejectedJob {
  return { digest: digestNameOf(file), file, message }
}

/** Loads changed job files into the running application, and records accepted and rejected files in the log and store. */
export class JobReader {
  readonly #app: App
  readonly #files: JobFolderWatcher
  readonly #id: string
  #savedAt: Instant | undefined
  #saved = ''
  /** Digests whose job file was removed, with the time of detection; cleared once stored. */
  readonly #removed = new Map<string, Instant>()
  /** Digests whose schedule is loaded but not stored yet. */
  readonly #read: Set<string>

  constructor(app: App) {
    this.#app = app
    this.#files = new JobFolderWatcher(app.config, app, app.clock.now())
    this.#read = new Set(app.digests.map(({ name }) => name))
    this.#id = newId(app.clock.now())
  }

  /** Scans the job folder once. A change takes effect when a second scan confirms it. */
  async poll(): Promise<void> {
    const { log, clock } = this.#app
    const { changes, rejected } = this.#files.scan(clock.now())
    const { digests, problems } = this.#files
    if (changes.length > 0) setDigests(this.#app, { digests, rejected: problems.map(toRejected) })
    for (const change of changes) this.#report(change)
    for (const { file, message, runsBy } of rejected) {
      const consequence = runsBy === null ? 'it is left out' : `its digest runs by the version read at ${runsBy}`
      log.error({ event: 'jobs.rejected', file, reason: message, runsBy }, `a job file has an error: ${consequence}`)
    }
    await this.#save(clock.now())
  }

  async close(): Promise<void> {
    await removeJobReader(this.#app.db, this.#id)
  }

  #report({ digest, file, kind }: JobChange): void {
    if (kind === 'removed') {
      this.#removed.set(digest, this.#app.clock.now())
      this.#app.schedules.remove(digest)
    } else this.#read.add(digest)
    this.#app.log.info({ event: `jobs.${kind}`, digest, file }, `job file ${kind}`)
  }

  async #saveSchedules(): Promise<void> {
    for (const [name, since] of this.#removed) {
      await recordJobFileAway(this.#app.db, name, since)
      this.#removed.delete(name)
    }
    for (const name of this.#read) {
      const digest = this.#app.digests.find((one) => one.name === name)
      if (digest) await saveSchedule(this.#app, digest)
      this.#read.delete(name)
    }
  }

  async #save(now: Instant): Promise<void> {
    const { db, config } = this.#app
    await this.#saveSchedules()
    const rejected = this.#files.problems
    const text = JSON.stringify(rejected)
    const age = this.#savedAt === undefined ? heartbeatMs : msBetween(this.#savedAt, now)
    if (text === this.#saved && age >= 0 && age < heartbeatMs) return
    await saveJobReader(db, { id: this.#id, folder: resolve(config.jobs), rejected }, now)
    this.#saved = text
    this.#savedAt = now
  }
}
