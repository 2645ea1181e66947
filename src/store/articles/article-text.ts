import { fingerprintText } from '../../text/text-fingerprint.ts'
import type { NewArticle } from './article.ts'

/** The fingerprint of the longest known text of an article; null if it has none. */
export function articleFingerprint({ summary, body }: Pick<NewArticle, 'summary' | 'body'>): string | null {
  const whole = body ? textOfSafeHtml(body.html) : ''
  return fingerprintText(whole.length > summary.length ? whole : summary) || null
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** The text of `Body` HTML: inline tags leave no gap. */
function textOfSafeHtml(html: string): string {
  return html
    .replace(/<(?:\/?(?:p|blockquote|ul|ol|li|h3|h4)|br)\b[^>]*>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => entities[name] ?? '')
}
