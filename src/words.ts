/** "1,200". */
export function number(count: number): string {
  return count.toLocaleString('en-GB')
}

/** "1 article", "12 articles", "1,200 copies". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`
}

/** With a capital at its start. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
