/** At most `count` entries around a time, from a list sorted by time. */
export function nearest<T extends { time: number }>(entries: T[], time: number, count: number): T[] {
  if (entries.length <= count) return entries
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle]?.time ?? 0) < time) low = middle + 1
    else high = middle
  }
  const start = Math.min(Math.max(0, low - count / 2), entries.length - count)
  return entries.slice(start, start + count)
}
