import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import { type ParsedMail, simpleParser } from 'mailparser'
import { listPage, type MessageTab, messagePage, messageTabs, missingPage } from './catcher-views.ts'
import { type CaughtMail, type CaughtMessage, fileName, toSummary } from './caught-mail.ts'

/** The pages of the mail catcher. All of them only look: there is no request that changes anything. */
export async function catcherApp(mail: CaughtMail): Promise<Hono> {
  const css = await readFile(new URL('../../templates/web/catcher/catcher.css', import.meta.url), 'utf8')
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    if (!context.res.headers.has('Content-Security-Policy')) context.header('Content-Security-Policy', pagePolicy)
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('Referrer-Policy', 'no-referrer')
    context.header('Cache-Control', 'no-store')
  })
  app.get('/', (context) => context.html(listPage(messageList(mail, context))))
  app.get('/catcher.css', (context) => context.body(css, 200, { 'Content-Type': 'text/css; charset=utf-8' }))
  app.get('/messages/:number{[0-9]+}', (context) => showMessage(mail, context, 'desktop'))
  app.get('/messages/:number{[0-9]+}/body', (context) => withMessage(mail, context, sendBody))
  app.get('/messages/:number{[0-9]+}/message.eml', (context) => withMessage(mail, context, sendFile))
  app.get('/messages/:number{[0-9]+}/attachments/:index{[0-9]+}', (context) =>
    withMessage(mail, context, sendAttachment),
  )
  for (const { name } of messageTabs)
    app.get(`/messages/:number{[0-9]+}/${name}`, (context) => showMessage(mail, context, name))
  app.notFound((context) => context.html(missingPage(), 404))
  return app
}

const pagePolicy =
  "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/** A stranger's HTML: it may show pictures and styles and open links in a new tab. It has no origin and no scripts. */
const bodyPolicy = [
  'sandbox allow-popups allow-popups-to-escape-sandbox',
  "default-src 'none'",
  'img-src http: https: data:',
  'font-src http: https: data:',
  "style-src 'unsafe-inline' http: https:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ')

const pageSize = 50

function messageList(mail: CaughtMail, context: Context) {
  const search = (context.req.query('to') ?? '').trim().slice(0, 200)
  const found = mail.newestFirst().filter(({ to }) => to.toLowerCase().includes(search.toLowerCase()))
  const pages = Math.max(1, Math.ceil(found.length / pageSize))
  const page = Math.min(pages, Math.max(1, Number.parseInt(context.req.query('page') ?? '1', 10) || 1))
  const messages = found.slice((page - 1) * pageSize, page * pageSize).map(toSummary)
  return { messages, search, found: found.length, count: mail.count(), duplicates: mail.duplicates(), page, pages }
}

function showMessage(mail: CaughtMail, context: Context, look: MessageTab) {
  return withMessage(mail, context, async (message) => {
    const newer = mail.find(message.number + 1)?.number
    const older = mail.find(message.number - 1)?.number
    return context.html(messagePage({ message, look, parsed: await parse(message), newer, older }))
  })
}

async function withMessage(
  mail: CaughtMail,
  context: Context,
  answer: (message: CaughtMessage, context: Context) => Response | Promise<Response>,
): Promise<Response> {
  const message = mail.find(Number(context.req.param('number')))
  return message ? answer(message, context) : context.html(missingPage(), 404)
}

/** Strangers write messages that no parser likes; their headers and source can be looked at all the same. */
async function parse({ raw }: CaughtMessage): Promise<ParsedMail | undefined> {
  return simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true }).catch(() => undefined)
}

async function sendBody(message: CaughtMessage, context: Context): Promise<Response> {
  const parsed = await parse(message)
  context.header('Content-Security-Policy', bodyPolicy)
  return context.html(openingNewTabs((parsed?.html || '') as string))
}

/** Links leave the frame; nothing else is changed. */
function openingNewTabs(html: string): string {
  const base = '<base target="_blank">'
  return /<head\b[^>]*>/i.test(html)
    ? html.replace(/<head\b[^>]*>/i, (head) => head + base)
    : `<!doctype html>${base}${html}`
}

function sendFile(message: CaughtMessage, context: Context): Response {
  return context.body(new Uint8Array(message.raw), 200, {
    'Content-Type': 'message/rfc822',
    'Content-Disposition': `attachment; filename="${fileName(message)}"`,
  })
}

async function sendAttachment(message: CaughtMessage, context: Context): Promise<Response> {
  const attachment = (await parse(message))?.attachments[Number(context.req.param('index'))]
  if (!attachment) return context.html(missingPage(), 404)
  return context.body(new Uint8Array(attachment.content as Buffer), 200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(attachment.filename ?? 'attachment')}`,
  })
}
