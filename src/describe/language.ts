import type { Direction } from '../text/direction.ts'
import { localeNames } from './messages.ts'

/** The name of the file for a language tag (RFC 4647 §3.4, lookup): `cy-GB` has `cy`, and an unknown language `en`. */
export function localeFor(language: string): string {
  const names = localeNames()
  for (let tag = language.toLowerCase(); tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    const name = names.find((one) => one.toLowerCase() === tag)
    if (name !== undefined) return name
  }
  return 'en'
}

/** The direction in which a language is written, by its script: `rtl` for `ar`, `he` or `ku-Arab`. */
export function directionOf(language: string): Direction {
  const script = new Intl.Locale(language).maximize().script ?? ''
  return rightToLeftScripts.has(script) ? 'rtl' : 'ltr'
}

const rightToLeftScripts = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Mend', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa'])
