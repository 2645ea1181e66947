/** "1,200". */
export function formatNumber(count: number): string {
  return count.toLocaleString('en-GB')
}

/** "1 article", "12 articles", "1,200 copies". */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** "1 person is", "1,352 people are", "no one is". */
export function peopleAre(count: number): string {
  if (count === 0) return 'no one is'
  return count === 1 ? '1 person is' : `${formatNumber(count)} people are`
}

/** With a capital first letter. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** The size of a text in bytes: "88 KB", and above a megabyte "1.2 MB", rounded up. */
export function formatSize(bytes: number): string {
  const megabyte = 1024 * 1024
  if (bytes <= megabyte) return `${Math.ceil(bytes / 1024)} KB`
  return `${(Math.ceil((bytes * 10) / megabyte) / 10).toFixed(1)} MB`
}
