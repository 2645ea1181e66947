/** "1 row", "2 rows"; `many` where the plural has no plain s. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
