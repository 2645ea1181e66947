import sharp from 'sharp'
import { startFeedHost } from './feeds.ts'

/** A picture of coloured noise of this size, as a photograph is to a compressor; the same in every run. */
export function photograph(width: number, height: number, channels: 3 | 4 = 3) {
  let seed = width * 31 + height
  const next = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed % 200
  }
  const small = { width: 16, height: 16 }
  const pixels = Uint8Array.from({ length: small.width * small.height * channels }, (_, index) =>
    channels === 4 && index % 4 === 3 ? 128 : next(),
  )
  const raw = { ...small, channels }
  return sharp(pixels, { raw }).resize(width, height, { fit: 'fill' })
}

export function jpeg(width: number, height: number): Promise<Buffer> {
  return photograph(width, height).jpeg().toBuffer()
}

/** What the server answers at a path; `undefined`: nothing, until the connection is closed. */
export type PictureAnswer = { status?: number; bytes?: Uint8Array | string; type?: string } | undefined

/** A server of pictures on this machine. `answers` may change; `asked` has the path of each request. */
export async function openPictureServer(answers: Record<string, PictureAnswer>) {
  const { port, url, asked, answer, close } = await startFeedHost()
  answer('*', ({ url: path = '' }, response) => {
    const given = path in answers ? answers[path] : { status: 404 }
    if (!given) return
    response.writeHead(given.status ?? 200, { 'content-type': given.type ?? 'image/jpeg' }).end(given.bytes)
  })
  return { answers, asked, host: `127.0.0.1:${port}`, url: (path: string) => `${url}${path}`, close }
}
