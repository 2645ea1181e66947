import type { Config } from './config/config.ts'
import { type Digest, fullTextFeedUrls } from './editions/digest.ts'
import type { Render } from './editions/edition.ts'
import { type JobFolder, type RejectedJob, readJobFolder } from './editions/jobs/read-folder.ts'
import type { PictureNeeds } from './editions/pictures/own-pictures.ts'
import type { CheckPage } from './editions/preflight.ts'
import { LoadedSchedules } from './editions/schedule/loaded-schedules.ts'
import { AppError } from './errors.ts'
import { type Fetcher, openFetcher } from './http/fetcher.ts'
import { type Log, openLog } from './log.ts'
import { openStore, type Store } from './store/open.ts'
import { loadSecret } from './store/system/settings.ts'
import { systemClock, type WaitingClock } from './time/clock.ts'

/** The shared services of one process, opened once. A step picks the fields that it needs. */
export type App = {
  config: Config
  store: Store
  db: Store['db']
  /** The HMAC key behind personal links, Message-IDs, return paths and form tokens. */
  secret: string
  digests: Digest[]
  /** When this process loaded the schedule of each digest. */
  schedules: LoadedSchedules
  /** Job files with an error. `digests` may lack their digests; the editions of a missing digest wait. */
  rejected: RejectedJob[]
  fetcher: Fetcher
  /** URLs of the feeds whose full text at least one digest prints. */
  wholeFeeds: ReadonlySet<string>
  render: Render
  /** Fetches the page of an article again, just before the edition is sealed. */
  check: CheckPage
  /** Loads the pictures of an edition before it is sealed or previewed. */
  pictures: PictureNeeds
  clock: WaitingClock
  log: Log
  close(): Promise<void>
}

export type AppOptions = {
  config: Config
  clock?: WaitingClock
  log?: Log
  /** Whether to create a missing store file; default true. */
  mayCreateStore?: boolean
  /** False for work that needs no digest and runs even if the job folder cannot be read; default true. */
  needsJobs?: boolean
}

/** Opens the store and the services that use it; `close` closes them in reverse order. */
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
    pictures: {
      logo: config.publication.logo,
      load: async (wanted) =>
        (await import('./pictures/load-pictures.ts')).loadPictures({ db: store.db, fetcher, clock, log }, wanted),
    },
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

/** Replaces the digests of the running application. */
export function setDigests(app: App, { digests, rejected }: JobFolder): void {
  app.digests = digests
  app.schedules.recordLoaded(digests, app.clock.now())
  app.rejected = rejected
  app.wholeFeeds = new Set(digests.flatMap(fullTextFeedUrls))
}

/** Starts the rendering thread with the first draft, because a process that only sends does not need it. */
function renderer(config: Config): Render {
  let loading: Promise<Render> | undefined
  return async (draft) => {
    loading ??= import('./messages/draft-renderer.ts').then(({ draftRenderer }) => draftRenderer(config))
    return (await loading)(draft)
  }
}

/** The digest with that name. AppError `invalid` if its job file has an error, else `missing` with a list of digests. */
export function requireDigest(folder: JobFolder, name: string): Digest {
  const digest = folder.digests.find((one) => one.name === name)
  if (digest) return digest
  throwIfRejected(folder, name)
  throw new AppError('missing', `there is no digest "${name}"`, { hint: `There are: ${digestNamesText(folder)}.` })
}

/** Returns the name if the digest exists, even if its job file has an error; otherwise AppError `missing`. */
export function requireDigestName(folder: JobFolder, name: string): string {
  return isRejected(folder, name) ? name : requireDigest(folder, name).name
}

/** AppError `invalid` with file and line if an error in its job file keeps the digest from being loaded. */
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

/** The User-Agent of feed and page requests: names the publication's site and its contact address. */
export function userAgentOf({ publication }: Config): string {
  return `Lastword/0.1 (newsletter digest of ${publication.site}; ${publication.contact})`
}
