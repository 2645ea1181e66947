import { pictureLink } from '../../mail/links.ts'
import { pictureByHash } from '../../store/pictures/pictures.ts'
import type { Db } from '../../store/schema.ts'

/** The Content-Type of each type of picture. */
export const pictureContentTypes = { jpg: 'image/jpeg', png: 'image/png' }

/** The HTML with our pictures inside it as `data:` URLs (RFC 2397), for a file that is opened without our server. */
export async function inlinePictures(db: Db, webUrl: string, html: string): Promise<string> {
  const start = pictureLink(webUrl, { hash: '', type: '' }).slice(0, -1)
  const parts = html.split(start)
  const inlined = [parts[0] ?? '']
  for (const part of parts.slice(1)) {
    const file = /^[0-9a-f]{64}\.(?:jpg|png)/.exec(part)?.[0] ?? ''
    const [hash = ''] = file.split('.')
    const picture = file === '' ? undefined : await pictureByHash(db, hash)
    if (!picture) inlined.push(start + part)
    else {
      const data = Buffer.from(picture.bytes).toString('base64')
      inlined.push(`data:${pictureContentTypes[picture.type]};base64,${data}${part.slice(file.length)}`)
    }
  }
  return inlined.join('')
}
