import type { Draft } from '../editions/edition.ts'
import { pictureLink } from '../mail/links.ts'
import { type PictureRole, pictureShapes, shownSize } from '../pictures/role.ts'
import type { Image } from '../store/articles/article.ts'
import { pictureKey } from '../store/pictures/pictures.ts'
import type { PictureView } from './view.ts'

type Shown = { image: Pick<Image, 'url' | 'alt'> & Partial<Image>; role: PictureRole }

/** The pictures of one edition as its templates get them: stored ones, links to those of others, or none. */
export class PictureViews {
  readonly #stored: Draft['pictures']
  readonly #isOff: boolean
  readonly #webUrl: string

  /** `webUrl` has no slash at the end. */
  constructor({ digest, pictures }: Pick<Draft, 'digest' | 'pictures'>, webUrl: string) {
    this.#stored = pictures
    this.#isOff = digest.pictures === 'none'
    this.#webUrl = webUrl
  }

  view(shown: Shown | null): PictureView | null {
    if (!shown || this.#isOff) return null
    const { image, role } = shown
    const { url, alt, width, height } = image
    if (!this.#stored) return { url, alt, ...linkedSize(role, width ?? null, height ?? null) }
    const picture = this.#stored.get(pictureKey(url, role))
    return picture ? { url: pictureLink(this.#webUrl, picture), alt, ...shownSize(role, picture) } : null
  }

  /** The address of the logo, which is printed in every edition; null if it could not be loaded. */
  logo(url: string): string | null {
    if (!this.#stored) return url
    return this.view({ image: { url, alt: '' }, role: 'logo' })?.url ?? null
  }
}

/** A linked picture keeps its own shape. */
function linkedSize(role: PictureRole, width: number | null, height: number | null) {
  const shown = pictureShapes[role].width
  return { width: shown, height: width && height ? Math.round((shown * height) / width) : null }
}
