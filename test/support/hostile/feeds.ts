import { createHash } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** Words that must be read in the end, each beside a trick that must not work. */
export const tricks: [word: string, trick: string][] = [
  ['Alder', '<script>alert("ran")</script>'],
  ['Birch', '<img src=x onerror=alert("ran")>'],
  ['Cedar', '"><svg onload=alert("ran")><animate onbegin=alert("ran") attributeName=x></svg>'],
  ['Dogwood', '</title></style></td></table><style>*{background:url(https://evil.example/css)}</style>'],
  ['Elder', '<a href="javascript:alert(1)" style="position:fixed;inset:0">x</a>'],
  ['Fir', '{{constructor.constructor "alert(1)"}}{{{raw}}}{{> footer}}{{#each this}}{{this}}{{/each}}'],
  ['Ginkgo', '</mj-text><mj-raw><script>alert("ran")</script></mj-raw><mj-include path="/etc/passwd" />'],
  ['Hazel', "' onmouseover='alert(1)' x='"],
  ['Ivy', '&lt;script&gt;alert("ran")&lt;/script&gt; &amp;lt;img src=x onerror=alert(1)&amp;gt;'],
  [
    'Juniper',
    '<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe><object data="data:text/html,x"></object>',
  ],
  ['Kapok', '<form action="https://evil.example"><input name=q autofocus onfocus=alert("ran")></form>'],
  ['Larch', '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/">'],
  ['Maple', '<!--[if mso]><script>alert(1)</script><![endif]--> --> ]]> <![CDATA[ <b>'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant as it stands
  ['Nutmeg', '\u202egpj.exe\u0007\u0000 ${7*7} <%= 7*7 %> <?php echo 1 ?>'],
  [
    'Olive',
    '<div style="position:fixed;inset:0;background:url(https://evil.example/css)"><center><b><a href="https://evil.example/">',
  ],
  ['Poplar', '<textarea><title><plaintext><noscript><select><template><frameset>'],
  ['Quince', '<mj-section><mj-column><mj-text>{{/each}}</mj-column></mjml><!-- <table><tr><td><svg><style>'],
  ['Rowan', '\u200f\u202e\u2066\u200b\u200d\u00ad&#8238;&#x2067;&zwnj;&shy;'],
]

/** Addresses that no page and no email may have as a link or a picture. */
const addresses = [
  'javascript:alert("ran")',
  'JaVaScRiPt:alert("ran")',
  ' java\tscript:alert("ran")',
  'java\nscript:alert("ran")',
  '\u0001javascript:alert("ran")',
  'javascript&colon;alert("ran")',
  'javascript&#58;alert("ran")',
  'data:text/html,<script>alert("ran")</script>',
  'vbscript:msgbox("ran")',
  'file:///etc/passwd',
  'view-source:https://evil.example/',
  'blob:https://evil.example/1',
  'https://evil.example/"onmouseover="alert(1)',
  "https://evil.example/'><script>alert('ran')</script>",
]

/** Each of another article. The first two are the same, told apart by their links. */
export const guids = [
  'shared',
  'shared',
  'shared https://evil.example/guids/0',
  'shared\u001fhttps://evil.example/guids/1',
  'shared\u0000 or not',
  '\ud800\udfff\ud800',
  Array.from({ length: 400 }, (_, index) => createHash('sha256').update(`${index}`).digest('base64')).join(''),
]

function guidFeed() {
  const items = guids.map((id, index) => ({
    id,
    url: `https://evil.example/guids/${index}`,
    title: `Guid ${index}`,
    content_text: `\ud83d and \u0000 ${index}`,
    authors: [{ name: 'Half a \ude00' }],
    tags: ['\udfff'],
  }))
  return { version: 'https://jsonfeed.org/version/1.1', title: 'Guids', items }
}

/** A real server of feeds that mean harm, on 127.0.0.1. `asked` is every path that somebody asked for. */
export async function startHostileFeeds() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answers[request.url ?? '']?.(response, server.address() as AddressInfo)
    if (!answers[request.url ?? '']) response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

type Answer = (response: ServerResponse, server: AddressInfo) => void

const answers: Record<string, Answer | undefined> = {
  '/tricks.rss': (response) => response.end(rss(tricks.map(rssItem).join(''))),
  '/tricks.atom': (response) => response.end(atom()),
  '/tricks.json': (response) => response.end(JSON.stringify(jsonFeed())),
  '/guids.json': (response) => response.end(JSON.stringify(guidFeed())),
  '/links.rss': (response) => response.end(rss(addresses.map(linkItem).join(''))),
  '/bomb': (response) => response.end(bomb()),
  '/entity': (response) => response.end(external('file:///etc/passwd')),
  '/nested': (response) => response.end(rss(`<item>${'<a>'.repeat(200_000)}</item>`)),
  '/metadata': (response) =>
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end('<rss/>'),
  '/inside': (response, { port }) => response.writeHead(301, { location: `http://localhost:${port}/secret` }).end(),
  '/secret': (response) => response.end(rss('<item><title>secret</title></item>')),
  '/login': (response) => response.setHeader('content-type', 'text/html').end('<html><title>Log in</title></html>'),
  '/silence': () => {},
  '/many': (response) => response.end(rss(Array.from({ length: 200_000 }, manyItem).join(''))),
  '/large': (response) => void pipeline(sixtyMegabytes, response).catch(() => {}), // nobody listens to the end
  '/drip': (response) => {
    response.write('<rss version="2.0"><channel><title>')
    const drip = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(drip))
  },
}

function manyItem(_: unknown, index: number): string {
  return `<item><title>Willow ${index} {{> footer}}</title></item>`
}

function* sixtyMegabytes(): Generator<string> {
  yield '<rss version="2.0"><channel><item><title>Large</title><description>'
  for (let sent = 0; sent < 60; sent++) yield '<b>lorem'.repeat(131_072)
}

function rss(items: string): string {
  const names =
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
  const title = `<title>${cdata(tricks.map(([, trick]) => trick).join(' '))}</title>`
  return `<rss version="2.0" ${names}><channel>${title}<link>javascript:alert(1)</link>${items}</channel></rss>`
}

function rssItem([word, trick]: [string, string]): string {
  const text = cdata(`${word} ${trick} ${word}wood`)
  const link = `https://evil.example/${word}/${encodeURIComponent(trick)}`
  const picture = `<media:content medium="image" url="https://evil.example/${word}.png?${escaped(trick)}"><media:description>${text}</media:description></media:content>`
  return `<item><title>${text}</title><description>${text}</description><guid isPermaLink="false">${text}</guid><link>${link}</link><dc:creator>${text}</dc:creator><category>${text}</category><content:encoded>${cdata(bodyOf(word, trick))}</content:encoded>${picture}</item>`
}

/** The trick in the midst of paragraphs, and in attributes. */
function bodyOf(word: string, trick: string): string {
  return `<p>${word}bark <a href="https://evil.example/${word}?${trick}">link</a></p><p title="${trick}">x</p><p>${word}ring ${trick}</p><p>${word}root`
}

function atom(): string {
  const entries = tricks.map(([word, trick]) => {
    const link = `<link href="https://evil.example/atom/${word}"/><link rel="enclosure" type="image/png" href="javascript:alert(1)"/>`
    const content = `<content type="xhtml" xml:base="javascript:alert(1)"><div xmlns="http://www.w3.org/1999/xhtml" onclick="alert(1)">${word} ${escaped(trick)}<script>alert("ran")</script></div></content>`
    return `<entry><title type="html">${escaped(`${word} ${trick} ${word}wood`)}</title><id>urn:${word}</id>${link}<author><name>${escaped(trick)}</name></author>${content}</entry>`
  })
  return `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="javascript:alert(1)"><title type="html">T</title>${entries.join('')}</feed>`
}

function jsonFeed() {
  const items = tricks.map(([word, trick]) => ({
    id: `${word}${trick}`,
    url: `https://evil.example/json/${word}`,
    title: `${word} ${trick} ${word}wood`,
    content_html: `<p>${word}stone</p>${trick}`,
    image: 'data:image/svg+xml,<svg onload=alert(1)>',
    author: { name: trick },
    tags: [trick],
  }))
  return { version: 'https://jsonfeed.org/version/1', title: tricks[0]?.[1], items }
}

function linkItem(address: string, index: number): string {
  return `<item><title>Address ${index}</title><guid isPermaLink="false">${index}</guid><link>${cdata(address)}</link><enclosure type="image/png" url="${escaped(address)}"/></item>`
}

/** A billion laughs. */
function bomb(): string {
  const lines = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`)
  return `<!DOCTYPE rss [<!ENTITY l0 "lol">${lines.join('')}]>${rss(`<item><title>Bomb &l9;</title><link>https://evil.example/bomb</link></item>`)}`
}

function external(address: string): string {
  return `<!DOCTYPE rss [<!ENTITY x SYSTEM "${address}">]>${rss('<item><title>Entity &x;</title><link>https://evil.example/entity</link></item>')}`
}

function cdata(text: string): string {
  return `<![CDATA[${text.replaceAll(']]>', ']]]]><![CDATA[>')}]]>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
