import { describe, expect, test } from 'vitest'
import { parseInThisThread } from '../../../src/feeds/parse/parse-feed.ts'
import { altText } from '../../../src/feeds/parse/pictures/alt-text.ts'
import { type Candidate, kindOf, pictureRules } from '../../../src/feeds/parse/pictures/rules.ts'
import type { NewArticle } from '../../../src/store/articles/article.ts'

const rules = pictureRules.map((rule, index) => [rule.example.url, rule, index] as const)

function candidate(picture: Partial<Candidate>): Candidate {
  return { url: 'https://quay.example/ferry', width: null, height: null, ...picture }
}

test.each(rules)('the rule for %s catches its example, which no other rule catches', (_, { example, means }, index) => {
  const picture = candidate(example)
  expect(kindOf(picture)).toBe(means)
  const others = pictureRules.filter((_, at) => at !== index)
  expect(others.filter(({ url, test }) => url?.test(picture.url) || test?.(picture))).toEqual([])
})

test.each([
  'https://pixel.magazine.example/imgs/2026/ferry.jpg',
  'https://quay.example/track/final-lap.jpg',
  'https://quay.example/news/police-badge-found.jpg',
  'https://quay.example/films/avatar-3-review.jpg',
  'https://quay.example/i/facebook-logo-on-a-wall.jpg',
  'https://quay.example/i/truck-loading.jpg',
  'https://quay.example/i/the-red-button.jpg',
  'https://quay.example/photos/adservice.jpg',
  'https://quay.example/uploads/2026/11/count-of-votes.png',
])('%s is a picture', (url) => {
  expect(kindOf(candidate({ url, width: 300, height: 250 }))).toBe('picture')
})

describe('the picture of an article', () => {
  const inText: [string, string, string | null][] = [
    ['the one behind a placeholder', '<img src="/a/blank.gif" data-lazy-src="pier.jpg" style="opacity:0">', 'pier.jpg'],
    [
      'the one for readers without scripts',
      '<img src="data:image/gif;base64,R0"><noscript><img src="pier.jpg"></noscript>',
      'pier.jpg',
    ],
    [
      'a source, where the picture has no address',
      '<picture><source srcset="pier-400.jpg 400w, pier-900.jpg 900w"><img alt=""></picture>',
      'pier-900.jpg',
    ],
    ['the widest of a set that an email can use', '<img srcset="a.jpg 500w, b.jpg 1500w, c.jpg 4000w">', 'b.jpg'],
    ['of a set in densities the sharpest', '<img srcset="a.jpg, b.jpg 2x">', 'b.jpg'],
    ['the larger file of a small picture', '<img src="a.jpg" width="300" srcset="a.jpg 300w, b.jpg 1200w">', 'b.jpg'],
    ['not a hidden one', '<div><img src="a.jpg" style="visibility:hidden"><img hidden src="b.jpg"></div>', null],
    ['not a flat one', '<img src="line.png" style="width: 600px; height: 2px">', null],
    ['not a small one before a large one', '<img src="a.jpg" width="120" height="90"><img src="b.jpg">', 'b.jpg'],
    ['a small one rather than none', '<img src="a.jpg" width="120" height="90">', 'a.jpg'],
    [
      'not one that leads to a page for sharing',
      '<a href="https://www.facebook.com/sharer.php?u=x"><img src="f.jpg"></a><img src="b.jpg">',
      'b.jpg',
    ],
  ]

  test.each(inText)('in a text is %s', async (_, html, picture) => {
    const [article] = await articlesOf(item(`<content:encoded><![CDATA[${html}]]></content:encoded>`))
    expect(article?.image?.url ?? null).toBe(picture && `https://quay.example/news/${picture}`)
  })

  test('is the large one of its text, where the feed names a thumbnail', async () => {
    const text = '<description>&lt;img src="https://pics.example/large.jpg"></description>'
    for (const thumbnail of ['t.jpg" width="100', 's72-c/t.jpg', 't-150x100.jpg']) {
      const [article] = await articlesOf(item(`${text}<media:thumbnail url="https://pics.example/${thumbnail}"/>`))
      expect(article?.image?.url).toBe('https://pics.example/large.jpg')
    }
    const [article] = await articlesOf(item(`${text}<media:thumbnail url="https://pics.example/t.jpg" width="640"/>`))
    expect(article?.image?.url).toBe('https://pics.example/t.jpg')
  })

  test('is the widest that the feed names up to 1600 pixels', async () => {
    const named = [140, 1200, 460, 3000]
      .map((width) => `<media:content url="https://pics.example/${width}.jpg" medium="image" width="${width}"/>`)
      .join('')
    expect((await articlesOf(item(named)))[0]?.image?.url).toBe('https://pics.example/1200.jpg')
  })

  test('is the cover of the podcast only where there is no other', async () => {
    const cover = '<itunes:image href="https://pics.example/cover.jpg"/>'
    const text = '<description>&lt;img src="https://pics.example/guest.jpg"></description>'
    const [alone, with1] = await articlesOf(item(cover) + item(cover + text, 2))
    expect([alone?.image?.url, with1?.image?.url]).toEqual([
      'https://pics.example/cover.jpg',
      'https://pics.example/guest.jpg',
    ])
  })

  test('in the text of a feed proxy starts from the site', async () => {
    const [article] = await articlesOf(
      '<item><title>A</title><link>https://proxy.example/~r/1</link><description>&lt;img src="/i/a.jpg"></description></item>',
    )
    expect(article?.image?.url).toBe('https://quay.example/i/a.jpg')
  })

  test('is never the portrait of its author, which is kept apart', async () => {
    const portrait = '<media:thumbnail url="https://secure.gravatar.com/avatar/9?s=96" width="96" height="96"/>'
    const [alone] = await articlesOf(item(portrait))
    expect(alone).toMatchObject({
      image: null,
      portrait: { url: 'https://secure.gravatar.com/avatar/9?s=96', alt: '' },
    })
  })
})

test.each([
  ['Boats at the pier', 'Ferry fares rise', 'Boats at the pier'],
  ['“Ferry fares rise”', 'Ferry fares rise', ''],
  ['DSC_0042.JPG', 'Ferry', ''],
  ['Watch more: https://video.example/x', 'Ferry', ''],
  ['Subscribe to our channel for more', 'Ferry', ''],
  [
    `The mayor opens the pier. ${'Behind her stands the council. '.repeat(5)}`,
    'Pier',
    /^The mayor opens the pier\. (?:Behind her stands the council\. ?){3}$/,
  ],
])('the alternative text %s beside the title %s', (text, title, expected) => {
  if (typeof expected === 'string') expect(altText(text, title)).toBe(expected)
  else expect(altText(text, title)).toMatch(expected)
})

test('the description of a film is not the alternative text of its picture', async () => {
  const film =
    '<media:group><media:content url="https://film.example/v.mp4" type="video/mp4"/><media:thumbnail url="https://film.example/1.jpg"/><media:description>We sail around the island in a day.</media:description></media:group>'
  expect((await articlesOf(item(film)))[0]?.image).toMatchObject({ url: 'https://film.example/1.jpg', alt: '' })
})

function item(inside: string, number = 1): string {
  return `<item><title>Piece ${number}</title><link>https://quay.example/news/${number}</link>${inside}</item>`
}

async function articlesOf(items: string): Promise<NewArticle[]> {
  const document = `<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Quay</title><link>https://quay.example/</link>${items}</channel></rss>`
  const feed = await parseInThisThread(Buffer.from(document), { url: 'https://quay.example/feed', contentType: null })
  if ('failed' in feed) throw new Error(feed.failed)
  return feed.articles
}
