/** In pixels: twice the width of an email, and some more. A larger file costs readers without showing more. */
const maxUsefulWidth = 1600

/** The best of several widths: the largest up to 1600, else the smallest above; null if there is none. */
export function bestWidth<T>(choices: T[], widthOf: (choice: T) => number): T | null {
  const sorted = choices.toSorted((one, other) => widthOf(other) - widthOf(one))
  return sorted.find((choice) => widthOf(choice) <= maxUsefulWidth) ?? sorted.at(-1) ?? null
}

/** The address with the best width in a `srcset` (HTML §4.8.4.2.1); a density `2x` counts as 2 × 640. */
export function bestInSrcset(srcset: string): { url: string; width: number } | null {
  const choices = [...srcset.slice(0, maxSrcsetLength).matchAll(imageCandidate)].map(([, url = '', number, unit]) => ({
    url: url.replace(/,+$/, ''),
    width: Math.round(Number(number ?? 1) * (unit === 'w' ? 1 : 640)),
  }))
  return bestWidth(choices, ({ width }) => width)
}

const maxSrcsetLength = 8000
const imageCandidate = /(?:^|,|\s)\s*([^\s,]\S{0,1999})(?:\s+(\d{1,5}(?:\.\d{1,3})?)([wx]))?(?=\s*(?:,|$))/g
