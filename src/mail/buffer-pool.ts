import type { AllocateBuffer } from './mime.ts'

/** Memory for copies of one letter, which are all about as long: what is given back is used again. */
export function bufferPool(): { take: AllocateBuffer; give(buffer: Buffer): void } {
  const free: Buffer[] = []
  const spare = 1024 // so that a longer name still fits
  return {
    take(size) {
      const known = free.pop()
      return known && known.length >= size ? known : Buffer.allocUnsafeSlow(size + spare)
    },
    give(buffer) {
      free.push(Buffer.from(buffer.buffer))
    },
  }
}
