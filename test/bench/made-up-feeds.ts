/** A feed of so many entries, as a magazine would write it: RSS with escaped markup and CDATA, or Atom. */
export function madeUpFeed(format: 'rss' | 'atom', entries: number, from = 0): string {
  const make = format === 'rss' ? rssItem : atomEntry
  const body = Array.from({ length: entries }, (_, index) => make(from + index)).join('\n')
  return format === 'rss' ? rss(body) : atom(body)
}

function rss(body: string): string {
  const names =
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"'
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" ${names}><channel><title>The Civic Ledger</title><link>https://ledger.example/</link>
<description>Made up for measuring</description><language>en-GB</language>
${body}
</channel></rss>`
}

function atom(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>The Civic Ledger</title><id>https://ledger.example/</id>
<link href="https://ledger.example/"/><updated>2026-11-20T09:30:00Z</updated>
${body}
</feed>`
}

function rssItem(index: number): string {
  return `<item><title>Council ${index} opens its books &amp; its doors</title>
<link>https://ledger.example/articles/${index}?from=feed&amp;n=${index}</link>
<guid isPermaLink="false">ledger-${index}</guid>
<pubDate>${date(index).toUTCString()}</pubDate>
<dc:creator>Mira Vance</dc:creator>
<category>Councils</category><category>Money</category>
<media:content url="https://ledger.example/pictures/${index}.jpg" medium="image" width="1200" height="800"/>
<description>&lt;p&gt;${words(index)}&lt;/p&gt;</description>
<content:encoded><![CDATA[<p>${words(index)}</p><p>${words(index + 1)}</p><img src="/pictures/${index}.jpg">]]></content:encoded>
</item>`
}

function atomEntry(index: number): string {
  return `<entry><title type="html">Council ${index} opens its books &amp;amp; its doors</title>
<id>tag:ledger.example,2026:${index}</id>
<link rel="alternate" type="text/html" href="https://ledger.example/articles/${index}"/>
<published>${date(index).toISOString()}</published><updated>${date(index).toISOString()}</updated>
<author><name>Mira Vance</name></author><category term="Councils"/>
<summary>${words(index)}</summary>
<content type="html">&lt;p&gt;${words(index)}&lt;/p&gt;&lt;p&gt;${words(index + 1)}&lt;/p&gt;</content>
</entry>`
}

function date(index: number): Date {
  return new Date(Date.UTC(2026, 10, 20, 9, 30) - index * 3_600_000)
}

function words(index: number): string {
  return `In the ${index}th year of its books the council lets everybody read what it pays, to whom, and what for. `.repeat(
    3,
  )
}
