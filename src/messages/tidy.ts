import { withoutCredentials } from '../http/url.ts'
import { tidyText } from '../text/characters.ts'
import type { EditionView } from './view.ts'

/** Puts each text on one line without control or invisible characters, and makes each article's address http or https. */
export function tidyView(view: EditionView): EditionView {
  return tidyValue(view, '') as EditionView
}

function tidyValue(value: unknown, key: string): unknown {
  if (typeof value === 'string') return key === 'url' ? webAddress(tidyText(value)) : tidyText(value)
  if (Array.isArray(value)) return value.map((inner) => tidyValue(inner, key))
  if (typeof value !== 'object' || value === null) return value
  if (key === 'image' && 'url' in value && webAddress(String(value.url)) === deadLink) return null
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tidyValue(inner, name)]))
}

const deadLink = '#'

/** The feed parser accepts only http and https; a `javascript:` address from another source becomes `#`. */
function webAddress(url: string): string {
  return /^https?:\/\//i.test(url) ? withoutCredentials(url.replaceAll(' ', '%20')) : deadLink
}
