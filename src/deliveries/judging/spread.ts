/** Over how many mail providers a row of answers is spread. */
export function countProviders(row: readonly { provider: string }[]): number {
  return new Set(row.map(({ provider }) => provider)).size
}
