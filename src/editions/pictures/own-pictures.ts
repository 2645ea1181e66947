import type { LoadedPicture, LoadPictures } from '../../pictures/load-pictures.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import { pictureKey, type StoredPicture } from '../../store/pictures/pictures.ts'
import type { Draft } from '../edition.ts'
import { picturesIn } from './placement.ts'

/** `logo`: the address of the publication's logo. */
export type PictureNeeds = { load: LoadPictures; logo: string | undefined }

/** A picture that is not printed. `article`: null for the logo and for blocks of the editors. */
export type LeftOutPicture = { article: string | null; reason: ReasonOf<'picture-of'> }

/** `pictures`: those that the draft shows, by `pictureKey`; undefined if it does not show our own. */
export type OwnPictures = { pictures: Map<string, StoredPicture> | undefined; leftOut: LeftOutPicture[] }

/**
 * Loads the pictures that the draft shows, for a digest with `pictures: own`. Never in a transaction, since it fetches;
 * a picture that cannot be shown is left out with its reason. Without `needs` the pictures stay links.
 */
export async function ownPictures(needs: PictureNeeds | undefined, draft: Draft): Promise<OwnPictures> {
  if (!needs || draft.digest.pictures !== 'own') return { pictures: undefined, leftOut: [] }
  const { load, logo } = needs
  const placed = picturesIn(draft).map(({ image, role, article, title }) => ({ url: image.url, role, article, title }))
  const ofLogo = logo === undefined ? [] : [{ url: logo, role: 'logo' as const, article: null, title: null }]
  const loaded = await load([...ofLogo, ...placed])
  const pictures = new Map<string, StoredPicture>()
  const leftOut: LeftOutPicture[] = []
  for (const { url, role, article, title } of [...ofLogo, ...placed]) {
    const key = pictureKey(url, role)
    const result: LoadedPicture = loaded.get(key) ?? { reason: { code: 'picture-late' } }
    if ('picture' in result) pictures.set(key, result.picture)
    else leftOut.push({ article, reason: { code: 'picture-of', title, reason: result.reason } })
  }
  return { pictures, leftOut }
}

/** The draft that shows its own pictures. */
export async function withOwnPictures(needs: PictureNeeds | undefined, draft: Draft): Promise<Draft> {
  const { pictures } = await ownPictures(needs, draft)
  return pictures ? { ...draft, pictures } : draft
}
