/** "1,200". */
export function formatNumber(count: number): string {
  return count.toLocaleString('en-GB')
}

/** "1 article", "12 articles", "1,200 copies". */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

/** With a capital first letter. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
