import { html } from 'hono/html'
import { type Instant, mailDate } from '../time/clock.ts'
import type { Magazine, MagazineArticle, MagazineSection } from './magazine.ts'

/**
 * The XML of a feed, each in a form that real publications use: RSS 2.0 with full text, Atom, RSS with headlines only, RSS
 * with films. `html` also escapes for XML: &amp; &lt; &gt; &quot; &#39;.
 */
export async function feedXml(magazine: Magazine, section: MagazineSection, site: string): Promise<string> {
  const feed = { magazine, section, site, updatedAt: section.articles[0]?.publishedAt ?? '' }
  return `<?xml version="1.0" encoding="utf-8"?>\n${section.name === 'last-word' ? await atom(feed) : await rss(feed)}\n`
}

type Feed = { magazine: Magazine; section: MagazineSection; site: string; updatedAt: Instant }

const namespaces = {
  content: 'http://purl.org/rss/1.0/modules/content/',
  dc: 'http://purl.org/dc/elements/1.1/',
  media: 'http://search.yahoo.com/mrss/',
  atom: 'http://www.w3.org/2005/Atom',
}

async function rss(feed: Feed): Promise<string> {
  const { magazine, section, site, updatedAt } = feed
  const items = await Promise.all(section.articles.map((article) => rssItem(feed, article)))
  return String(
    await html`<rss version="2.0" xmlns:content="${namespaces.content}" xmlns:dc="${namespaces.dc}" xmlns:media="${namespaces.media}" xmlns:atom="${namespaces.atom}">
  <channel>
    <title>${magazine.name}: ${section.title}</title>
    <link>${site}/</link>
    <description>${magazine.tagline}</description>
    <language>en-gb</language>
    <lastBuildDate>${mailDate(updatedAt)}</lastBuildDate>
    <atom:link rel="self" type="application/rss+xml" href="${site}${section.feed}"/>${items}
  </channel>
</rss>`,
  )
}

async function rssItem({ section, site }: Feed, article: MagazineArticle) {
  const headlineOnly = section.name === 'focus'
  const fullText = section.name === 'tv' || headlineOnly ? '' : String(await bodyHtml(article, site))
  return html`
    <item>
      <title>${article.title}</title>
      <link>${site}${article.path}</link>
      <guid isPermaLink="false">${identity(article)}</guid>
      <pubDate>${mailDate(article.publishedAt)}</pubDate>
      <category>${article.category}</category>${
        !headlineOnly &&
        html`
      <dc:creator>${article.author}</dc:creator>
      <description>${article.standfirst}</description>`
      }${
        fullText &&
        html`
      <content:encoded>${fullText}</content:encoded>`
      }${article.seconds ? film(article, site) : picture(article, site)}
    </item>`
}

function picture({ picture }: MagazineArticle, site: string) {
  return html`
      <media:content url="${site}${picture.path}" medium="image" type="image/jpeg" width="${picture.width}" height="${picture.height}">
        <media:description type="plain">${picture.alt}</media:description>
      </media:content>`
}

/** The film's address is a page that shows it: an address in a feed must lead to something, and we have no film. */
function film({ picture, path, seconds }: MagazineArticle, site: string) {
  return html`
      <media:content url="${site}${path}" type="text/html" medium="video" duration="${seconds}" lang="en-GB">
        <media:description type="plain">${picture.alt}</media:description>
      </media:content>
      <media:thumbnail url="${site}${picture.path}" width="${picture.width}" height="${picture.height}"/>`
}

async function atom(feed: Feed): Promise<string> {
  const { magazine, section, site, updatedAt } = feed
  const entries = await Promise.all(section.articles.map((article) => atomEntry(feed, article)))
  return String(
    await html`<feed xmlns="${namespaces.atom}" xmlns:media="${namespaces.media}" xml:lang="en-GB">
  <title>${magazine.name}: ${section.title}</title>
  <id>tag:civicledger.example,2026:${section.name}</id>
  <link rel="self" type="application/atom+xml" href="${site}${section.feed}"/>
  <link rel="alternate" type="text/html" href="${site}/"/>
  <updated>${updatedAt}</updated>${entries}
</feed>`,
  )
}

async function atomEntry({ site }: Feed, article: MagazineArticle) {
  return html`
  <entry>
    <title>${article.title}</title>
    <id>${identity(article)}</id>
    <link rel="alternate" type="text/html" href="${site}${article.path}"/>
    <published>${article.publishedAt}</published>
    <updated>${article.publishedAt}</updated>
    <author><name>${article.author}</name></author>
    <category term="${article.category}"/>
    <summary type="text">${article.standfirst}</summary>
    <content type="html">${String(await bodyHtml(article, site))}</content>${picture(article, site)}
  </entry>`
}

function bodyHtml(article: MagazineArticle, site: string) {
  const { picture } = article
  return html`<p><img src="${site}${picture.path}" alt="${picture.alt}" width="${picture.width}" height="${picture.height}"></p>${article.body.map((paragraph) => html`<p>${paragraph}</p>`)}`
}

/** Does not depend on the port of the demo, so that an article stays the same. */
function identity({ path }: MagazineArticle): string {
  return `tag:civicledger.example,2026:${path.slice(1)}`
}
