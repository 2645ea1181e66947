/** A picture as the rules see it: absolute address, size in CSS pixels if known, and the words of its tag in small letters. */
export type Candidate = {
  url: string
  width: number | null
  height: number | null
  /** MIME type, classes, and the address of the link around it; empty if unknown. */
  type?: string
  classes?: string
  href?: string
  alt?: string
}

/** `avatar`: the portrait of a person; `none`: nothing that a reader should see as the picture of an article. */
export type PictureRule = {
  means: 'none' | 'avatar'
  /** One picture that the rule catches, which a test tries. */
  example: Partial<Candidate>
  url?: RegExp
  test?: (picture: Candidate) => boolean
}

/** In CSS pixels: anything narrower or lower is an icon, a line or a counter. */
export const minSide = 48

const services =
  'twitter|facebook|linkedin|pinterest|reddit|whatsapp|e-?mail|digg|delicious|mastodon|bluesky|instagram|youtube|telegram|rss|feed|print'

export const pictureRules: PictureRule[] = [
  // Counters of readers.
  {
    means: 'none',
    example: { url: 'https://media.example/i/77', width: 1, height: 1 },
    test: ({ width, height }) => (width ?? minSide) < minSide || (height ?? minSide) < minSide,
  },
  {
    means: 'none',
    example: { url: 'https://stats.wp.com/g.gif?v=ext' },
    url: /^https?:\/\/(?:[\w-]+\.)?(?:stats?|pixel|count(?:er)?|hits?|track(?:er|ing)?|beacon|analytics|metrics)\d*\.[\w-]+\.(?!\S*\.(?:jpe?g|webp|avif)\b)/i,
  },
  {
    means: 'none',
    example: { url: 'https://feeds.feedburner.com/~r/quay/~4/abc' },
    url: /\/~(?:r|ff|a|f)\/|feedsportal\.com|feeds\.wordpress\.com|pheedo|feedblitz\.com|\.vgwort\.de\/na\/|medium\.com\/_\/stat|facebook\.com\/tr\b|api\.follow\.it\/|statcounter\.com/i,
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/piwik.php?idsite=1&rec=1' },
    url: /\/(?:tracking|analytics|track|pixel|beacon)[/?.](?!\S*\.(?:jpe?g|webp|avif)\b)|\/(?:piwik|matomo|count|counter|hit)\.php|\/__utm\.gif|scorecardresearch|quantserve|google-analytics|\/b\.gif\?/i,
  },
  // Advertisements.
  {
    means: 'none',
    example: { url: 'https://securepubads.g.doubleclick.net/gampad/ad?iu=1' },
    url: /doubleclick|googlesyndication|amazon-adsystem|adzerk|buysellads|carbonads|^https?:\/\/(?:[\w-]+\.)?(?:ads?|adserver|banners?)\d*\.|\/(?:ads?|adserver|advert(?:isement)?s?|banner-?ads?)\//i,
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/b/summer.png', width: 728, height: 90 },
    test: ({ url, width, height }) =>
      adSizes.has(`${width}x${height}`) ||
      /(?:^|\D)(?:728x90|468x60|970x90|970x250|160x600|120x600|320x50)\D/.test(url),
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/mpu.png', alt: 'Advertisement' },
    test: ({ alt = '' }) =>
      /^(?:advert(?:isement)?|ads?|anzeige|werbung|publicit[eéà]|publicidad|sponsor(?:ed)?)$/i.test(alt),
  },
  // Buttons and badges.
  {
    means: 'none',
    example: { url: 'https://static.addtoany.com/buttons/share_save_120_16.png' },
    url: /addtoany|addthis|sharethis|\/buttons?\/|[/_-](?:btn|button)(?:[_-]\w{1,40})?\.(?:gif|png|svg)|feedflare|\/pidgets\/|paypal(?:objects)?\.com|ko-fi\.com|buymeacoffee|\/badges?\/|[/_-]badge\.(?:gif|png|svg)|shields\.io|badge\.fury\.io|badgen\.net/i,
  },
  {
    means: 'none',
    example: { url: 'https://cdn.example/sd/facebook-icon.png' },
    url: new RegExp(
      `(?:[/_-](?:${services})[_-]?(?:\\d+[_-])?(?:icon|logo|button|share|badge)|[/_-](?:icon|logo|button|share|badge)[_-]?(?:${services}))[\\w-]{0,40}\\.(?:gif|png|svg|ico)|\\/(?:social[_-]?)?icons?\\/(?!\\S*\\.(?:jpe?g|webp)\\b)|[/_-]favicon`,
      'i',
    ),
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/t.png', href: 'https://twitter.com/intent/tweet?text=a' },
    test: ({ href = '' }) =>
      /\/intent\/(?:tweet|post)|\/sharer(?:\.php)?\?|\/share(?:Article)?\?|\/submit\?url=|pinterest\.[\w.]+\/pin\/create|addtoany|^mailto:\?|^https?:\/\/(?:[\w-]+\.)?ads?\d*\./i.test(
        href,
      ),
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/like.png', classes: 'share-link' },
    test: ({ classes = '' }) =>
      /(?:^|\s)(?:(?:share|sharing|social)[_-](?:icon|button|link|btn)s?|icon|badge|btn|pixel|tracker|spinner|feedflare|(?:addtoany|sociable)\S{0,40})(?=\s|$)/i.test(
        classes,
      ),
  },
  // Emoji and smileys.
  {
    means: 'none',
    example: { url: 'https://s.w.org/images/core/emoji/15/72x72/1f600.png' },
    url: /\/emojis?\/|\/smil(?:ey|ie)s?\/|\/emoticons?\/|twemoji|icon_(?:smile|wink|sad|lol|biggrin)/i,
  },
  {
    means: 'none',
    example: { url: 'https://forum.example/i/9.png', classes: 'wp-smiley' },
    test: ({ classes = '' }) => /(?:^|[\s_-])(?:emoji|emoticon|smiley|smilie)/i.test(classes),
  },
  // Empty pictures that a script replaces.
  {
    means: 'none',
    example: { url: 'https://quay.example/assets/placeholder.gif' },
    url: /\/(?:[\w-]{0,60}[_-])?(?:placeholder|spacer|transparent|lazyload|1x1)(?:[_-][\w-]{0,60})?\.(?:gif|png|jpe?g|webp|svg)(?:[?#]|$)|\/(?:blank|clear|trans|pixel|loading|loader|spinner|lazy|gr[ea]y|shim|empty|dot)(?:[_-]?\d{1,4}(?:x\d{1,4})?)?\.(?:gif|png|svg)(?:[?#]|$)/i,
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/img/no-image.png' },
    url: /\/(?:no|missing|default)[_-]?(?:image|img|photo|picture|pic|thumb(?:nail)?)(?:[_-][\w-]*)?\.\w{3,4}(?:[?#]|$)/i,
  },
  // Mail programs show no SVG.
  {
    means: 'none',
    example: { url: 'https://quay.example/chart.svg?v=2' },
    url: /\.svgz?(?:[?#]|$)/i,
  },
  {
    means: 'none',
    example: { url: 'https://quay.example/chart', type: 'image/svg+xml' },
    test: ({ type = '' }) => type.includes('svg'),
  },
  // Portraits of the author or of who commented.
  {
    means: 'avatar',
    example: { url: 'https://0.gravatar.com/avatar/00aa?s=96&d=identicon' },
    url: /gravatar\.com\/|\/avatars?\/|[/_-]avatar(?:[_-]?\d{1,6}(?:x\d{1,4})?)?\.(?:jpe?g|png|gif|webp)|^https?:\/\/avatars?\d*\.|\/profile[_-]?(?:images?|photos?|pics?)\/|\/user[_-]?(?:pics?|photos?|images?)\//i,
  },
  {
    means: 'avatar',
    example: { url: 'https://quay.example/mira.jpg', classes: 'avatar avatar-96 photo' },
    test: ({ classes = '' }) =>
      /(?:^|[\s_-])(?:avatar|gravatar|author-(?:image|photo|picture)|profile-(?:image|photo|picture))/i.test(classes),
  },
]

/** Sizes of the Interactive Advertising Bureau that pictures of articles do not have. */
const adSizes = new Set(['728x90', '468x60', '970x90', '970x250', '160x600', '120x600', '320x50', '320x100', '234x60'])

/** What a picture is: one of an article, the portrait of a person, or nothing to show. */
export function kindOf(picture: Candidate): 'picture' | 'avatar' | 'none' {
  const rule = pictureRules.find(({ url, test }) => url?.test(picture.url) || test?.(picture))
  return rule?.means ?? 'picture'
}

/** In CSS pixels; a larger picture goes before one that is smaller. */
const minUsefulSide = 150

/** Whether a picture that is known to be small, by its size or its address, is only a thumbnail. */
export function isThumbnail({ url, width, height }: Candidate): boolean {
  const sides = [width, height].filter((side) => side !== null)
  const known = sides.length > 0 ? sides : sidesInUrl(url)
  return known.some((side) => side < minUsefulSide)
}

/** Blogger's `/s72-c/` and `=s72-c`, WordPress's `-150x150.jpg`, `?w=100`. */
function sidesInUrl(url: string): number[] {
  const found =
    /[/=]s(\d{2,4})(?:-[\w-]+)?(?:\/|$)/.exec(url) ??
    /[_-](\d{2,4})x(\d{2,4})\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)/i.exec(url) ??
    /[?&](?:w|width)=(\d{2,4})(?:&|$)/.exec(url)
  return (found?.slice(1) ?? []).filter((side) => side !== undefined).map(Number)
}
