import sharp from 'sharp'

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
