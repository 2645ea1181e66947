import { readFile } from 'node:fs/promises'
import { type Context, Hono } from 'hono'
import { type ParsedMail, simpleParser } from 'mailparser'
import { listPage, type MessageTab, messagePage, messageTabs, missingPage } from './catcher-views.ts'
import { type CaughtMail, type CaughtMessage, fileName, toSummary } from './caught-mail.ts'

/** The pages of the mail catcher. No request changes anything. */
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

/** For the untrusted HTML of a message: pictures, styles and links in a new tab, but no origin and no scripts. */
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

function showMessage(mail: CaughtMail, context: Context, tab: MessageTab) {
  return withMessage(mail, context, async (message) => {
    const newer = mail.find(message.number + 1)?.number
    const older = mail.find(message.number - 1)?.number
    return context.html(messagePage({ message, tab, parsed: await parse(message), newer, older }))
  })
}

async function withMessage(
  mail: CaughtMail,
  context: Context,
  respond: (message: CaughtMessage, context: Context) => Response | Promise<Response>,
): Promise<Response> {
  const message = mail.find(Number(context.req.param('number')))
  return message ? respond(message, context) : context.html(missingPage(), 404)
}

/** Undefined for a message that cannot be parsed; its headers and source are still shown. */
async function parse({ raw }: CaughtMessage): Promise<ParsedMail | undefined> {
  return simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true }).catch(() => undefined)
}

async function sendBody(message: CaughtMessage, context: Context): Promise<Response> {
  const parsed = await parse(message)
  context.header('Content-Security-Policy', bodyPolicy)
  return context.html(withNewTabLinks((parsed?.html || '') as string))
}

/** Makes links open outside the frame. */
function withNewTabLinks(html: string): string {
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
