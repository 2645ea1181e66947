import type { Attributes } from './tokeniser.ts'

/** Classes and ids of what a page puts into or around an article: contents, sharing, subscribing, related articles, "more". */
const furnitureRules: RegExp[] = [
  // ez-toc-container, lwptoc, toc_container, table-of-contents, wp-block-table-of-contents, rank-math-toc
  /^(?:ez-toc|lwptoc|toc(?:$|[-_])|rank-math-toc|simpletoc|(?:wp-block-)?(?:[\w]+-)?table-of-contents)/,
  // subscription-widget-wrap-editor, subscribe-widget, newsletter-signup, mc_embed_signup, jp-subscribe
  /^(?:subscription-widget|subscribe-widget|newsletter-(?:signup|sign-up|form|subscribe|cta)|mc[-_]embed|(?:wp-block-)?jetpack-subscri)/,
  // sharedaddy, addtoany_share_save_container, share-buttons, social-share, heateor_sss, feedflare
  /^(?:sharedaddy|sd-sharing|addtoany|a2a_kit|shar(?:e|ing)-(?:buttons?|links|bar|icons|tools)|social-(?:shar|media-shar|icons|buttons)|heateor|feedflare|wp-block-(?:outermost-)?social|post-share|sharing?$)/,
  // jp-relatedposts, related-posts, yarpp, crp_related
  /^(?:jp-relatedposts|related-(?:posts|articles|stories)|yarpp|crp_related)/,
]
const moreRules = [/^(?:more-link|moretag|read-?more|continue-reading|readmore-link|post-more)(?:-|$)/]

const blocks = new Set('div section aside nav p ul ol form details figure'.split(' '))
const inline = new Set('a span p div'.split(' '))

/** Whether an element is not part of the article, from its class and id. */
export function isFurniture(name: string, { class: classes = '', id = '', href = '' }: Attributes): boolean {
  const names = `${classes} ${id}`.slice(0, 500).toLowerCase().split(/\s+/)
  if (name === 'a' && /^#(?:more|respond|comments)/.test(href)) return true
  if (blocks.has(name) && names.some((one) => furnitureRules.some((rule) => rule.test(one)))) return true
  return inline.has(name) && names.some((one) => moreRules.some((rule) => rule.test(one)))
}
