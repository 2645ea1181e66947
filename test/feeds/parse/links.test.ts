import { expect, test } from 'vitest'
import { parseInThisThread } from '../../../src/feeds/parse/parse-feed.ts'

const cases: [string, string, string][] = [
  ['the content elsewhere', '<content src="/pieces/one.html"/>', 'https://quay.example/pieces/one.html'],
  ['the page, not the content elsewhere', '<link href="/one"/><content src="/one.html"/>', 'https://quay.example/one'],
  [
    'the other link, where one is the feed',
    '<link href="http://quay.example/feed.xml#one"/><link href="/one"/>',
    'https://quay.example/one',
  ],
  ['the front page, where the only link is the feed', '<link href="/feed.xml"/>', 'https://quay.example/'],
]

test.each(cases)('an entry links to %s', async (_, inside, url) => {
  const document = `<feed xmlns="http://www.w3.org/2005/Atom"><title>Quay</title><link rel="self" href="https://quay.example/feed.xml"/><entry><id>urn:1</id><title>One</title>${inside}</entry></feed>`
  const feed = await parseInThisThread(Buffer.from(document), {
    url: 'https://quay.example/feed.xml',
    contentType: null,
  })
  expect('articles' in feed && feed.articles.map((article) => article.url)).toEqual([url])
})
