import { type Context, Hono } from 'hono'
import { pictureContentTypes } from '../../../editions/pictures/inline-pictures.ts'
import { pictureByHash } from '../../../store/pictures/pictures.ts'
import type { PictureRow } from '../../../store/schema.ts'
import type { Env, Web } from '../../response.ts'
import { urls } from '../../urls.ts'

/** The bytes of an address never change: its name is their hash. */
const cacheControl = 'public, max-age=31536000, immutable'
/** Of the pictures in memory; an edition of 24 articles has about one megabyte. */
const maxCachedBytes = 16 * 1024 * 1024

/** The pictures of editions, for everyone who has their address, also of digests without an archive. */
export function picturePages(web: Web): Hono<Env> {
  const cache = new PictureCache(maxCachedBytes)
  return new Hono<Env>().get(urls.picture, (context) => showPicture(web, context, cache))
}

/** 404 without asking the store for what is no name of a picture. */
async function showPicture({ app }: Web, context: Context<Env>, cache: PictureCache): Promise<Response> {
  const [, hash = '', type = ''] = /^([0-9a-f]{64})\.(jpg|png)$/.exec(context.req.param('file') ?? '') ?? []
  const picture = hash === '' ? undefined : (cache.get(hash) ?? (await pictureByHash(app.db, hash)))
  if (!picture || picture.type !== type) return context.text('There is no such picture.\n', 404)
  cache.set(picture)
  const etag = `"${hash}"`
  const headers = { ETag: etag, 'Cache-Control': cacheControl }
  if (hasTag(context.req.header('if-none-match'), etag)) return context.body(null, 304, headers)
  const size = String(picture.bytes.length)
  return context.body(new Uint8Array(picture.bytes), 200, {
    ...headers,
    'Content-Type': pictureContentTypes[picture.type],
    'Content-Length': size,
  })
}

/** Whether a list of tags names this one (RFC 9110 §13.1.2); a tag may be marked as weak. */
function hasTag(list: string | undefined, etag: string): boolean {
  const tags = (list ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/** The pictures that were last asked for: thousands of people open the same edition at once. */
class PictureCache {
  readonly #pictures = new Map<string, PictureRow>()
  readonly #maxBytes: number
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(hash: string): PictureRow | undefined {
    return this.#pictures.get(hash)
  }

  set(picture: PictureRow): void {
    if (this.#pictures.delete(picture.hash)) this.#bytes -= picture.bytes.length
    this.#pictures.set(picture.hash, picture)
    this.#bytes += picture.bytes.length
    for (const [hash, { bytes }] of this.#pictures) {
      if (this.#bytes <= this.#maxBytes) return
      this.#pictures.delete(hash)
      this.#bytes -= bytes.length
    }
  }
}
