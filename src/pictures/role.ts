/** What a picture is shown as. `wide`: across the whole column, as with a lead, a film or an editor's own block. */
export type PictureRole = 'wide' | 'thumbnail' | 'portrait' | 'logo'

/** How pictures of a role are cropped and sized. */
export type PictureShape = {
  /** The largest size in an email, in CSS pixels. */
  width: number
  height: number
  /** The picture keeps its shape between these ratios of width to height, and is cropped beyond them. */
  minRatio: number
  maxRatio: number
  /** The file from the feed has at least these pixels. */
  minWidth: number
  minHeight: number
  /** Whether transparent parts are kept, in a PNG; else they become white, in a JPEG. */
  keepsTransparency: boolean
}

const photograph = { keepsTransparency: false }

/** The only place of these sizes: files are made in them, and the templates get them as width and height. */
export const pictureShapes: Record<PictureRole, PictureShape> = {
  wide: { width: 536, height: 302, minRatio: 16 / 9, maxRatio: 3, minWidth: 200, minHeight: 100, ...photograph },
  thumbnail: { width: 160, height: 107, minRatio: 1.5, maxRatio: 1.5, minWidth: 96, minHeight: 64, ...photograph },
  portrait: { width: 112, height: 112, minRatio: 1, maxRatio: 1, minWidth: 48, minHeight: 48, ...photograph },
  logo: {
    width: 320,
    height: 48,
    minRatio: 0,
    maxRatio: Infinity,
    minWidth: 16,
    minHeight: 16,
    keepsTransparency: true,
  },
}

/** Pixels of the file for each CSS pixel. */
export const pixelDensity = 2

/** The size in CSS pixels in which an email shows a picture of these pixels; a small one is enlarged. */
export function shownSize(role: PictureRole, { width, height }: Size): Size {
  const shape = pictureShapes[role]
  const cropped = croppedSize({ width, height }, shape)
  return scaled(cropped, Math.min(shape.width / cropped.width, shape.height / cropped.height))
}

/** The size in pixels of the file that is made of a picture of these pixels; a small one is not enlarged. */
export function fileSize(shape: PictureShape, size: Size): Size {
  const cropped = croppedSize(size, shape)
  const scale = Math.min(shape.width / cropped.width, shape.height / cropped.height) * pixelDensity
  return scaled(cropped, Math.min(1, scale))
}

function croppedSize({ width, height }: Size, { minRatio, maxRatio }: PictureShape): Size {
  const ratio = Math.min(Math.max(width / height, minRatio), maxRatio)
  return { width: Math.min(width, height * ratio), height: Math.min(height, width / ratio) }
}

function scaled({ width, height }: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

export type Size = { width: number; height: number }
