import { createHash } from 'node:crypto'
import type { Metadata, Sharp, SharpOptions } from 'sharp'
import type { Reason } from '../store/events/reason.ts'
import { fileTypeOf, isPictureType } from './file-type.ts'
import { fileSize, type PictureRole, type PictureShape, pictureShapes, type Size } from './role.ts'

/** A picture as emails show it: sRGB, upright, without metadata. `hash`: SHA-256 of the bytes, in hexadecimal. */
export type ProcessedPicture = Size & { hash: string; type: 'jpg' | 'png'; bytes: Uint8Array }

/** Of a file from outside. */
export const maxPictureBytes = 10_000_000
const maxPixels = 40_000_000
/** For a file of ours, which is compressed harder until it fits. */
const targetBytes = 150_000
const qualities = [80, 70, 60, 50]
const timeoutSeconds = 20
/** Standard deviation of all colours, 0–255; placeholders and spacers have one colour. */
const minDeviation = 2

/**
 * Checks a file by its content, then crops and resizes it for the role, off the main thread. Returns the reason instead
 * if it is no picture that can be shown; never throws for what the file holds.
 */
export async function processPicture(
  file: Uint8Array,
  role: PictureRole,
): Promise<ProcessedPicture | { reason: Reason }> {
  const type = fileTypeOf(file)
  if (!isPictureType(type)) return { reason: { code: 'picture-not-a-picture', found: type } }
  if (file.length > maxPictureBytes) return { reason: { code: 'picture-heavy', megabytes: maxPictureBytes / 1e6 } }
  try {
    return await processChecked(await openPicture(file), pictureShapes[role])
  } catch (error) {
    if (error instanceof Error && /pixel limit/.test(error.message))
      return { reason: { code: 'picture-large', megapixels: maxPixels / 1e6 } }
    return { reason: { code: 'picture-damaged' } }
  }
}

type OpenPicture = (options?: SharpOptions) => Sharp

async function processChecked(open: OpenPicture, shape: PictureShape): Promise<ProcessedPicture | { reason: Reason }> {
  const metadata = await open().metadata()
  const size = uprightSize(metadata)
  const reason = sizeReason(size, shape)
  if (reason) return { reason }
  const { width, height } = fileSize(shape, size)
  const resized = open()
    .timeout({ seconds: timeoutSeconds })
    .autoOrient()
    .resize(width, height, { fit: 'cover', position: 'attention' })
  const isTransparent = metadata.hasAlpha && shape.keepsTransparency
  const pixels = isTransparent ? resized : resized.flatten({ background: '#ffffff' })
  const { data, info } = await pixels.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return await encode({ data, width: info.width, height: info.height, channels: info.channels, isTransparent })
}

type Pixels = Size & { data: Buffer; channels: 1 | 2 | 3 | 4; isTransparent: boolean }

async function encode({ data, width, height, channels, isTransparent }: Pixels) {
  const { default: sharp } = await import('sharp')
  const open = () => sharp(data, { raw: { width, height, channels } })
  const { channels: colours } = await open().stats()
  if (colours.every(({ stdev }) => stdev < minDeviation)) return { reason: { code: 'picture-blank' } as const }
  if (isTransparent) {
    const bytes = await open().png({ compressionLevel: 9, palette: true }).toBuffer()
    return { hash: hashOf(bytes), type: 'png' as const, bytes, width, height }
  }
  let bytes = Buffer.alloc(0)
  for (const quality of qualities) {
    bytes = await open().jpeg({ quality, progressive: true, mozjpeg: true }).toBuffer()
    if (bytes.length <= targetBytes) break
  }
  return { hash: hashOf(bytes), type: 'jpg' as const, bytes, width, height }
}

/** Loads sharp at the first picture: a process that only sends needs none of its 20 MB. */
async function openPicture(file: Uint8Array): Promise<OpenPicture> {
  const { default: sharp } = await import('sharp')
  sharp.cache(false)
  sharp.concurrency(1) // a server has other work for its processors
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({ operation: decoders.map((name) => `VipsForeignLoad${name}Buffer`) })
  // The first frame of an animation. A file that ends early is an error, and not a picture that is half grey.
  return () => sharp(file, { limitInputPixels: maxPixels, failOn: 'error', animated: false })
}

/** The decoders of libvips for the formats above; the others, with their risks, stay closed. */
const decoders = ['Jpeg', 'Png', 'Nsgif', 'Webp', 'Heif']

/** A camera may store a picture lying on its side (Exif, orientations 5 to 8). */
function uprightSize({ width, height, orientation = 1 }: Metadata): Size {
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}

function sizeReason({ width, height }: Size, { minWidth, minHeight }: PictureShape): Reason | undefined {
  if (width < minWidth) return { code: 'picture-small', side: 'width', pixels: width, minimum: minWidth }
  if (height < minHeight) return { code: 'picture-small', side: 'height', pixels: height, minimum: minHeight }
  return undefined
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
