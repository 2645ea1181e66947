import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { processPicture } from '../../src/pictures/process-picture.ts'
import { type PictureRole, shownSize } from '../../src/pictures/role.ts'
import { jpeg, photograph } from '../support/pictures.ts'

async function made(file: Uint8Array, role: PictureRole = 'wide') {
  const result = await processPicture(file, role)
  if ('reason' in result) throw new Error(describeReason(result.reason))
  return { ...result, metadata: await sharp(result.bytes).metadata() }
}

async function refused(file: Uint8Array, role: PictureRole = 'wide'): Promise<string> {
  const result = await processPicture(file, role)
  return 'reason' in result ? describeReason(result.reason) : `made ${result.width} × ${result.height}`
}

const size = ({ width, height }: { width: number; height: number }) => [width, height]

describe('a picture is cropped and made smaller for its role', () => {
  test.each<[PictureRole, [number, number], [number, number], [number, number]]>([
    ['wide', [1600, 900], [1072, 603], [536, 302]],
    ['wide', [1600, 1600], [1072, 603], [536, 302]], // taller than 16:9 is cropped
    ['wide', [2144, 1072], [1072, 536], [536, 268]], // wider keeps its shape …
    ['wide', [4000, 400], [1072, 357], [536, 179]], // … up to 3:1
    ['wide', [400, 225], [400, 225], [536, 302]], // small is not enlarged
    ['wide', [200, 150], [200, 113], [536, 302]],
    ['thumbnail', [1200, 675], [320, 213], [160, 107]],
    ['thumbnail', [120, 200], [120, 80], [160, 107]],
    ['portrait', [400, 600], [224, 224], [112, 112]],
    ['portrait', [48, 48], [48, 48], [112, 112]],
    ['logo', [600, 200], [288, 96], [144, 48]],
  ])('%s of %j pixels becomes a file of %j, shown as %j', async (role, [width, height], file, shown) => {
    const picture = await made(await jpeg(width, height), role)
    expect(size(picture)).toEqual(file)
    expect(size(picture.metadata)).toEqual(file)
    expect(size(shownSize(role, picture))).toEqual(shown)
  })

  test('the result is a progressive JPEG in sRGB without metadata, of at most 150 KB, named by its bytes', async () => {
    const file = await photograph(3000, 2000)
      .withExif({ IFD0: { Artist: 'Ada' } })
      .keepIccProfile()
      .jpeg()
      .toBuffer()
    const { metadata, bytes, hash, type } = await made(file)
    expect(type).toBe('jpg')
    expect(metadata).toMatchObject({ format: 'jpeg', isProgressive: true, space: 'srgb' })
    expect([metadata.exif, metadata.icc, metadata.xmp]).toEqual([undefined, undefined, undefined])
    expect(bytes.length).toBeLessThan(150_000)
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect((await made(file)).hash).toBe(hash)
    expect((await made(file, 'thumbnail')).hash).not.toBe(hash)
  })

  test('what compresses badly is compressed harder', async () => {
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 40 }
    const file = await sharp({ create: { width: 1072, height: 603, channels: 3, background: '#888', noise } })
      .png()
      .toBuffer()
    const easy = await made(await jpeg(1072, 603))
    const hard = await made(file)
    expect(easy.bytes.length).toBeLessThan(150_000)
    expect(hard.bytes.length).toBeLessThan(300_000)
  })

  test.each(['png', 'webp', 'avif', 'gif'] as const)('%s is read', async (format) => {
    const { type, metadata } = await made(await photograph(640, 360).toFormat(format).toBuffer())
    expect([type, metadata.format]).toEqual(['jpg', 'jpeg'])
  })

  test('an animation becomes a still of its first frame', async () => {
    const frames = [await photograph(300, 200).png().toBuffer(), await jpeg(300, 210)]
    const file = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    const { metadata } = await made(file)
    expect([metadata.pages, ...size(metadata)]).toEqual([undefined, 300, 169])
  })

  test('a photograph that lies on its side stands up', async () => {
    const file = await photograph(900, 1600).jpeg().withMetadata({ orientation: 6 }).toBuffer()
    expect(size((await made(file)).metadata)).toEqual([1072, 603])
    expect((await made(file)).metadata.orientation).toBeUndefined()
  })

  test('CMYK becomes sRGB', async () => {
    const file = await photograph(640, 360).toColourspace('cmyk').jpeg().toBuffer()
    expect((await sharp(file).metadata()).space).toBe('cmyk')
    expect((await made(file)).metadata.space).toBe('srgb')
  })

  test('transparent parts become white, but stay in a logo', async () => {
    const half = await photograph(640, 360, 4).png().toBuffer()
    const clear = await sharp({ create: { width: 640, height: 360, channels: 4, background: '#0000' } })
      .composite([{ input: await jpeg(300, 360), left: 0, top: 0 }])
      .png()
      .toBuffer()
    const picture = await made(clear)
    const { data } = await sharp(picture.bytes).extract({ left: 600, top: 100, width: 1, height: 1 }).raw().toBuffer({
      resolveWithObject: true,
    })
    expect([...data].every((value) => value > 245)).toBe(true)
    expect(picture.type).toBe('jpg')
    const logo = await made(half, 'logo')
    expect([logo.type, logo.metadata.hasAlpha]).toEqual(['png', true])
  })
})

describe('a file that cannot be shown is left out, with the reason', () => {
  const svg = '<?xml version="1.0"?><!-- a badge --><svg xmlns="http://www.w3.org/2000/svg" width="900" height="900"/>'

  test.each<[string, () => Uint8Array | Promise<Uint8Array>, PictureRole, string]>([
    [
      'an SVG, whatever its name',
      () => Buffer.from(svg),
      'wide',
      'its file is an SVG, which mail programs do not show',
    ],
    ['a page', () => Buffer.from('<!DOCTYPE html><title>404</title>'), 'wide', 'its file is a web page'],
    ['nothing', () => new Uint8Array(), 'wide', 'its file is empty'],
    ['text', () => Buffer.from('picture'), 'wide', 'its file is of an unknown format'],
    ['TIFF', () => photograph(400, 300).tiff().toBuffer(), 'wide', 'its file is of an unknown format'],
    ['a tracker', () => jpeg(1, 1), 'thumbnail', 'only 1 pixel wide (at least 96 needed)'],
    ['a button as a lead', () => jpeg(199, 199), 'wide', 'only 199 pixels wide (at least 200 needed)'],
    ['a strip', () => jpeg(728, 90), 'wide', 'only 90 pixels high (at least 100 needed)'],
    ['an emoji as a portrait', () => jpeg(20, 20), 'portrait', 'only 20 pixels wide (at least 48 needed)'],
    ['one that ends early', async () => (await jpeg(640, 360)).subarray(0, 5000), 'wide', 'its file is damaged'],
    ['only its first bytes', async () => (await jpeg(640, 360)).subarray(0, 20), 'wide', 'its file is damaged'],
    ['an empty placeholder', () => plain(640, 360), 'wide', 'it shows nothing but one colour'],
    ['64 million pixels in 200 KB', () => plain(8000, 8000), 'wide', 'it has more than 40 million pixels'],
    ['11 MB', () => heavy(), 'wide', 'its file is larger than 10 MB'],
  ])('%s', async (_, file, role, reason) => {
    expect(await refused(await file(), role)).toBe(reason)
  })

  test('the size counts after the picture stands up', async () => {
    const file = await photograph(120, 600).jpeg().withMetadata({ orientation: 8 }).toBuffer()
    expect(await refused(file)).toBe('made 360 × 120')
  })
})

function plain(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#cccccc' } })
    .png()
    .toBuffer()
}

/** Bytes after the end of a JPEG are no error. */
async function heavy(): Promise<Uint8Array> {
  return Buffer.concat([await jpeg(640, 360), Buffer.alloc(11_000_000)])
}
