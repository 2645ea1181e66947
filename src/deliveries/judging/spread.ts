/** The number of mail providers in a row of replies. */
export function countProviders(row: readonly { provider: string }[]): number {
  return new Set(row.map(({ provider }) => provider)).size
}
