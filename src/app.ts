import type { Config } from './config/config.ts'
import { type Digest, fullTextFeedUrls } from './editions/digest.ts'
import type { Render } from './editions/edition.ts'
import { type JobFolder, type RejectedJob, readJobFolder } from './editions/jobs/read-folder.ts'
import type { CheckPage } from './editions/preflight.ts'
import { LoadedSchedules } from './editions/schedule/loaded-schedules.ts'
import { AppError } from './errors.ts'
import { type Fetcher, openFetcher } from './http/fetcher.ts'
import { type Log, openLog } from './log.ts'
import { openStore, type Store } from './store/open.ts'
import { loadSecret } from './store/system/settings.ts'
import { systemClock, type WaitingClock } from './time/clock.ts'

/** Everything that a step may need, opened once. A step takes what it needs of it by name. */
export type App = {
  config: Config
  store: Store
  db: Store['db']
  /** Signs what leaves the house. */
  secret: string
  digests: Digest[]
  /** Since when this process has the schedules of the digests. */
  schedules: LoadedSchedules
  /** Job files with an error: their digests are not among `digests`, and their editions wait. */
  rejected: RejectedJob[]
  fetcher: Fetcher
  /** The feeds whose articles some digest prints whole. */
  wholeFeeds: ReadonlySet<string>
  render: Render
  /** Asks for the page of an article once more, just before a seal. */
  check: CheckPage
  clock: WaitingClock
  log: Log
  close(): Promise<void>
}

export type AppOptions = {
  config: Config
  clock?: WaitingClock
  log?: Log
  /** Whether a store in a file is made where there is none; true if absent. */
  mayCreateStore?: boolean
  /** False for work that no digest is needed for: it is done even if the folder of the job files is away; true if absent. */
  needsJobs?: boolean
}

/** Opens the store and what stands on it, in order; `close` goes the way back. */
export async function openApp(options: AppOptions): Promise<App> {
  const { config, clock = systemClock, log = openLog(config.log), mayCreateStore = true, needsJobs = true } = options
  const { digests, rejected } = readJobs(config, needsJobs)
  const schedules = new LoadedSchedules()
  schedules.recordLoaded(digests, clock.now())
  const store = await openStore(config.store.url, clock, { mayCreate: mayCreateStore })
  const secret = config.web.secret ?? (await loadSecret(store.db))
  const fetcher = openFetcher({ ...config.feeds, userAgent: userAgentOf(config) }, clock)
  return {
    config,
    store,
    db: store.db,
    secret,
    digests,
    schedules,
    rejected,
    fetcher,
    wholeFeeds: new Set(digests.flatMap(fullTextFeedUrls)),
    render: renderer(config),
    check: async (url) => (await import('./editions/preflight.ts')).createPageCheck(fetcher)(url),
    clock,
    log,
    async close() {
      await fetcher.close()
      await store.close()
    },
  }
}

function readJobs({ jobs, templates }: Config, isNeeded: boolean): JobFolder {
  try {
    return readJobFolder(jobs, templates)
  } catch (error) {
    if (isNeeded || !(error instanceof AppError)) throw error
    return { digests: [], rejected: [] }
  }
}

/** Lets the running application go on with these digests. */
export function setDigests(app: App, { digests, rejected }: JobFolder): void {
  app.digests = digests
  app.schedules.recordLoaded(digests, app.clock.now())
  app.rejected = rejected
  app.wholeFeeds = new Set(digests.flatMap(fullTextFeedUrls))
}

/** The thread that renders starts with the first draft: who only sends has no use for it. */
function renderer(config: Config): Render {
  let loading: Promise<Render> | undefined
  return async (draft) => {
    loading ??= import('./messages/draft-renderer.ts').then(({ draftRenderer }) => draftRenderer(config))
    return (await loading)(draft)
  }
}

/** The digest of that name. AppError `invalid` if its job file has an error; `missing` names those that there are. */
export function requireDigest(folder: JobFolder, name: string): Digest {
  const digest = folder.digests.find((one) => one.name === name)
  if (digest) return digest
  throwIfRejected(folder, name)
  throw new AppError('missing', `there is no digest "${name}"`, { hint: `There are: ${digestNamesText(folder)}.` })
}

/** The name, if there is a digest of that name, even one whose job file has an error; else AppError `missing`. */
export function requireDigestName(folder: JobFolder, name: string): string {
  return isRejected(folder, name) ? name : requireDigest(folder, name).name
}

/** Throws what is wrong in the job file of that digest, with file and line, if the digest was left out for it. */
export function throwIfRejected({ digests, rejected }: JobFolder, name: string): void {
  const job = digests.some((one) => one.name === name) ? undefined : rejected.find(({ digest }) => digest === name)
  if (job) throw new AppError('invalid', job.message)
}

export function isRejected({ rejected }: Pick<JobFolder, 'rejected'>, name: string): boolean {
  return rejected.some(({ digest }) => digest === name)
}

/** "daily, weekly (its job file has an error)", or "none". */
export function digestNamesText({ digests, rejected }: JobFolder): string {
  const names = digests.map(({ name }) => name)
  const broken = rejected.filter(({ digest }) => !names.includes(digest))
  return [...names, ...broken.map(({ digest }) => `${digest} (its job file has an error)`)].sort().join(', ') || 'none'
}

/** Who asks, and where to complain: the publication's own page. */
export function userAgentOf({ publication }: Config): string {
  return `Lastword/0.1 (newsletter digest of ${publication.site}; ${publication.contact})`
}
