import { html } from 'hono/html'
import type { ParsedMail } from 'mailparser'
import { formatCount } from '../text/words.ts'
import type { Instant } from '../time/clock.ts'
import { type CaughtMessage, type CaughtSummary, toSummary } from './caught-mail.ts'
import { headerFields } from './header-field.ts'

type Markup = ReturnType<typeof html>

/** The views of a message, each with its own address. */
export const messageTabs = [
  { name: 'desktop', title: 'Desktop' },
  { name: 'phone', title: 'Phone' },
  { name: 'text', title: 'Text' },
  { name: 'headers', title: 'Headers' },
  { name: 'source', title: 'Source' },
] as const

export type MessageTab = (typeof messageTabs)[number]['name']

type MessageList = {
  messages: CaughtSummary[]
  search: string
  /** Number of messages that match the search. */
  found: number
  count: number
  duplicates: number
  page: number
  pages: number
}

export function listPage(list: MessageList): Markup {
  const { messages, search, found, count, duplicates, page, pages } = list
  return layout(
    search ? `Messages to ${search}` : 'Caught messages',
    html`
    <h1>Caught messages</h1>
    <p class="facts">${formatCount(count, 'message')} caught, ${formatCount(duplicates, 'duplicate')}. Nothing left this machine. <a href="/">Reload</a></p>
    <form action="/" method="get" role="search">
      <label for="to">Search by address</label>
      <input id="to" name="to" type="search" value="${search}" autocomplete="off" spellcheck="false">
      <button>Search</button>
      ${search && html`<a href="/">Show all</a>`}
    </form>
    ${search && html`<p class="facts">${formatCount(found, 'message')} to an address with “${search}”</p>`}
    ${messages.length ? html`<ul class="messages">${messages.map(row)}</ul>` : emptyState(search)}
    ${pages > 1 ? pager(search, page, pages) : ''}`,
  )
}

function row(message: CaughtSummary): Markup {
  return html`<li><a href="/messages/${message.number}">
    <span class="to"><span class="hidden">to </span>${address(message.to)}</span>
    <span class="subject">${message.subject || '(no subject)'}</span>
    <span class="when">${time(message.receivedAt)}</span></a></li>`
}

function emptyState(search: string): Markup {
  return html`<p class="nothing">${search ? 'No message to such an address.' : 'No messages yet. Send an edition, then reload.'}</p>`
}

function pager(search: string, page: number, pages: number): Markup {
  const pageAt = (to: number): string => `/?${new URLSearchParams({ ...(search && { to: search }), page: String(to) })}`
  return html`<nav class="pager" aria-label="Pages">
    ${page > 1 && html`<a rel="prev" href="${pageAt(page - 1)}">Newer</a>`}
    <span>Page ${page} of ${pages}</span>
    ${page < pages && html`<a rel="next" href="${pageAt(page + 1)}">Older</a>`}</nav>`
}

type OpenedMessage = {
  message: CaughtMessage
  tab: MessageTab
  /** Absent when the message cannot be parsed. */
  parsed: ParsedMail | undefined
  newer: number | undefined
  older: number | undefined
}

export function messagePage(opened: OpenedMessage): Markup {
  const { message, tab, parsed, newer, older } = opened
  const { number, from, to, receivedAt, subject, bytes } = toSummary(message)
  const title = subject || '(no subject)'
  return layout(
    `${title} – to ${to}`,
    html`
    <nav class="way" aria-label="Messages"><a href="/">All messages</a>
      ${newer && html`<a href="/messages/${newer}/${tab}">Newer</a>`}${older && html`<a href="/messages/${older}/${tab}">Older</a>`}</nav>
    <h1>${title}</h1>
    <dl class="envelope">
      <div><dt>To</dt><dd>${address(to)}</dd></div>
      <div><dt>Return path</dt><dd>${from ? address(from) : '(empty)'}</dd></div>
      <div><dt>Received</dt><dd>${time(receivedAt)}</dd></div>
      <div><dt>Size</dt><dd>${(bytes / 1024).toFixed(1)} KB · <a href="/messages/${number}/message.eml" download>Download .eml</a></dd></div>
      ${parsed?.attachments.length ? html`<div><dt>Attachments</dt><dd><ul>${parsed.attachments.map((file, index) => html`<li><a href="/messages/${number}/attachments/${index}" download>${file.filename ?? 'attachment'}</a> ${file.contentType}, ${(file.size / 1024).toFixed(1)} KB</li>`)}</ul></dd></div>` : ''}
    </dl>
    <nav class="tabs" aria-label="Views of this message">${messageTabs.map((each) => html`<a href="/messages/${number}/${each.name}"${each.name === tab ? html` aria-current="page"` : ''}>${each.title}</a>`)}</nav>
    ${panel(opened, title)}`,
  )
}

function panel({ message, tab, parsed }: OpenedMessage, title: string): Markup {
  if (tab === 'headers') return headersTable(message)
  if (tab === 'source') return block('Source', message.raw.subarray(0, 2_000_000).toString('utf8'))
  if (!parsed) return html`<p class="nothing">This message could not be parsed. Its source may show why.</p>`
  if (tab === 'text')
    return parsed.text
      ? block('Text', withLinks(parsed.text))
      : html`<p class="nothing">This message has no text part.</p>`
  if (!parsed.html) return html`<p class="nothing">This message has no HTML part.</p>`
  return html`<div class="stage"><iframe class="${tab}" src="/messages/${message.number}/body" title="${title}, as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe></div>`
}

function headersTable({ raw }: CaughtMessage): Markup {
  return html`<div class="block" tabindex="0" role="region" aria-label="Headers"><table>
    <thead><tr><th scope="col">Header</th><th scope="col">Value</th></tr></thead>
    <tbody>${headerFields(raw).map(({ name, value }) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`)}</tbody></table></div>`
}

function block(label: string, content: string | Markup[]): Markup {
  return html`<pre class="block" tabindex="0" role="region" aria-label="${label}">${content}</pre>`
}

/** Plain text with its web addresses as links. */
function withLinks(text: string): Markup[] {
  return text
    .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]])/)
    .map((part, index) =>
      index % 2 ? html`<a href="${part}" target="_blank" rel="noreferrer">${part}</a>` : html`${part}`,
    )
}

export function missingPage(): Markup {
  return layout(
    'Not found',
    html`<h1>Message not found</h1>
    <p>The catcher keeps the newest 5,000 in memory. <a href="/">All messages</a></p>`,
  )
}

function layout(title: string, main: Markup): Markup {
  return html`<!doctype html>
<html lang="en-GB">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <meta name="color-scheme" content="light dark">
  <title>${title} – Lastword mail catcher</title>
  <link rel="stylesheet" href="/catcher.css">
</head>
<body>
  <header><a href="/">Lastword <span>mail catcher</span></a></header>
  <main>${main}</main>
</body>
</html>`
}

/** Allows a line break after the @. */
function address(text: string): Markup {
  const at = text.lastIndexOf('@') + 1
  return html`${text.slice(0, at)}<wbr>${text.slice(at)}`
}

function time(instant: Instant): Markup {
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
  return html`<time datetime="${instant}">${text.format(new Date(instant))} UTC</time>`
}
