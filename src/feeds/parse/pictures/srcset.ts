/** In pixels: twice the width of an email, and some more. A larger file costs readers without showing more. */
const maxUsefulWidth = 1600

/** The best of several widths: the largest up to 1600, else the smallest above; null if there is none. */
export function bestWidth<T>(choices: T[], widthOf: (choice: T) => number): T | null {
  const sorted = choices.toSorted((one, other) => widthOf(other) - widthOf(one))
  return sorted.find((choice) => widthOf(choice) <= maxUsefulWidth) ?? sorted.at(-1) ?? null
}

type Choice = { url: string; width: number }

/** The address with the best width in a `srcset` (HTML §4.8.4.2.1); a density `2x` counts as 2 × 640. */
export function bestInSrcset(srcset: string): Choice | null {
  return bestWidth(choicesIn(srcset.slice(0, maxSrcsetLength)), ({ width }) => width)
}

const maxSrcsetLength = 8000

function choicesIn(srcset: string): Choice[] {
  const choices: Choice[] = []
  for (const word of srcset.split(/\s+/)) {
    const [, number = '', unit, next = ''] = descriptor.exec(word) ?? []
    const last = choices.at(-1)
    if (unit && last) last.width = Math.round(Number(number) * (unit === 'w' ? 1 : oneDensity))
    const url = (unit ? next : word).replace(/^,|,$/g, '')
    if (url !== '') choices.push({ url, width: oneDensity })
  }
  return choices
}

const oneDensity = 640
/** `900w`, `2x,`, and `2x,next.jpg` without a space between. */
const descriptor = /^(\d{1,5}(?:\.\d{1,3})?)([wx])(?:,(.*))?$/
