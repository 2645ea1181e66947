import type { AllocateBuffer } from './mime.ts'

/** Reuses the memory of copies of one message, which have about the same size. */
export function bufferPool(): { take: AllocateBuffer; give(buffer: Buffer): void } {
  const free: Buffer[] = []
  const spareBytes = 1024 // for longer names
  return {
    take(size) {
      const buffer = free.pop()
      return buffer && buffer.length >= size ? buffer : Buffer.allocUnsafeSlow(size + spareBytes)
    },
    give(buffer) {
      free.push(Buffer.from(buffer.buffer))
    },
  }
}
