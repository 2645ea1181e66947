import { isTemporaryStatus } from '../http/failure.ts'
import type { Fetched } from '../http/fetched.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import { openSemaphore, type Semaphore } from '../http/semaphore.ts'
import { hostOf } from '../http/url.ts'
import type { Log } from '../log.ts'
import type { Reason } from '../store/events/reason.ts'
import {
  keepPicture,
  type PictureSource,
  pictureKey,
  pictureSources,
  type StoredPicture,
  saveMissingPicture,
  savePicture,
} from '../store/pictures/pictures.ts'
import type { Db } from '../store/schema.ts'
import { type Clock, day, minute, msBetween, second } from '../time/clock.ts'
import { maxPictureBytes, processPicture } from './process-picture.ts'
import type { PictureRole } from './role.ts'

export type WantedPicture = { url: string; role: PictureRole }

/** A stored picture, or the reason why there is none. */
export type LoadedPicture = { picture: StoredPicture } | { reason: Reason }

/** The pictures by `pictureKey`. */
export type LoadPictures = (wanted: WantedPicture[]) => Promise<Map<string, LoadedPicture>>

export type LoadNeeds = { db: Db; fetcher: Pick<Fetcher, 'get'>; clock: Clock; log: Log }

const maxParallel = 4
const maxPerHost = 2
/** One picture is decoded at a time, because 40 million pixels take much memory. */
const maxDecoded = 1
/** Fetched files that wait to be decoded. */
const maxPrefetched = 4
const pictureMaxAgeMs = day
/** A picture that could not be fetched is tried again after this time, and one that cannot be shown after a day. */
const unreachableRetryMs = 10 * minute
const fetchTimeoutMs = 20 * second
const attempts = 2
/** Time limit in milliseconds for all pictures of an edition. */
export const loadTimeoutMs = 2 * minute

/**
 * Fetches pictures with the guarded client, makes them for their roles and stores them; known ones are fetched once a
 * day. A picture that is not there after `timeoutMs` is left out. Does not throw for what servers do. robots.txt is not
 * asked: it is for crawlers, and a feed names its pictures so that they are shown.
 */
export async function loadPictures(
  needs: LoadNeeds,
  wanted: WantedPicture[],
  timeoutMs = loadTimeoutMs,
): Promise<Map<string, LoadedPicture>> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const keyed = new Map(wanted.map((one) => [pictureKey(one.url, one.role), one]))
  const known = await pictureSources(needs.db, [...keyed.keys()])
  const loaded = new Map<string, LoadedPicture>()
  for (const [key, source] of known) if (isFresh(source, needs.clock)) loaded.set(key, source)
  const decoder = openSemaphore(maxDecoded, maxPrefetched)
  let missing = [
    ...Map.groupBy(
      [...keyed].filter(([key]) => !loaded.has(key)),
      ([, { url }]) => url,
    ),
  ]
  for (let attempt = 1; attempt <= attempts && missing.length > 0; attempt++) {
    const again: typeof missing = []
    const limits = { maxParallel, maxPerHost, hostFor: ([url]: (typeof missing)[number]) => hostOf(url) }
    await forEachPerHost(missing, limits, async (group) => {
      const [url, places] = group
      const roles = places.map(([key, { role }]) => ({ key, role }))
      const { results, mayRetry } = await loadOne(needs, { url, roles, deadline, decoder })
      if (mayRetry && attempt < attempts) return void again.push(group)
      for (const { key, result } of results) loaded.set(key, await store(needs, key, result, known.get(key)))
    })
    missing = again
  }
  return loaded
}

function isFresh(source: PictureSource, clock: Clock): boolean {
  const age = msBetween(source.fetchedAt, clock.now())
  const isUnreachable = 'reason' in source && source.reason.code === 'picture-unreachable'
  return age >= 0 && age < (isUnreachable ? unreachableRetryMs : pictureMaxAgeMs)
}

type Made = Awaited<ReturnType<typeof processPicture>>
type OneAddress = {
  url: string
  roles: { key: string; role: PictureRole }[]
  deadline: AbortSignal
  decoder: Semaphore
}

/** Fetches an address once, for all its roles. */
async function loadOne(
  { fetcher }: LoadNeeds,
  { url, roles, deadline, decoder }: OneAddress,
): Promise<{ results: { key: string; result: Made }[]; mayRetry: boolean }> {
  const forAll = (reason: Reason, mayRetry = false) => ({
    results: roles.map(({ key }) => ({ key, result: { reason } })),
    mayRetry,
  })
  if (deadline.aborted) return forAll({ code: 'picture-late' })
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(fetchTimeoutMs)])
  const fetchFile = () =>
    fetcher.get(url, {
      accept: 'image/jpeg, image/png, image/webp, image/avif, image/gif;q=0.8',
      signal,
      truncateAtBytes: maxPictureBytes + 1, // one more shows that it is too large
    })
  return await decoder(fetchFile, async (fetched: Fetched) => {
    if (fetched.kind === 'failed' && signal.aborted) return forAll({ code: 'picture-late' })
    if (fetched.kind === 'failed')
      return forAll({ code: 'picture-unreachable', message: fetched.reason }, isTemporaryStatus(fetched.status))
    const bytes = fetched.kind === 'ok' ? fetched.bytes : new Uint8Array()
    const results: { key: string; result: Made }[] = []
    for (const { key, role } of roles) results.push({ key, result: await processPicture(bytes, role) })
    return { results, mayRetry: false }
  })
}

/** Stores the result. A picture that was shown before is kept if its address does not answer. */
async function store(
  { db, clock, log }: LoadNeeds,
  key: string,
  result: Made,
  known: PictureSource | undefined,
): Promise<LoadedPicture> {
  const now = clock.now()
  if (!('reason' in result)) {
    const { hash, type, width, height } = result
    await savePicture(db, key, { ...result, madeAt: now })
    return { picture: { hash, type, width, height } }
  }
  const { reason } = result
  const isUnanswered = reason.code === 'picture-unreachable' || reason.code === 'picture-late'
  if (isUnanswered && known && 'picture' in known) {
    await keepPicture(db, key, known.picture, now)
    return { picture: known.picture }
  }
  log.info({ event: 'picture.left_out', key, reason: reason.code }, 'a picture cannot be shown')
  if (reason.code !== 'picture-late') await saveMissingPicture(db, key, reason, now)
  return { reason }
}
