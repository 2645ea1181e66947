import { type Context, Hono } from 'hono'
import { type FormOwner, type KeptForm, keptForms, removeKeptForm, saveForm } from '../store/staff/kept-forms.ts'
import { capitalise } from '../text/words.ts'
import { addMs, hour } from '../time/clock.ts'
import { type Env, idParam, readRawForm, renderPage, type Web } from './response.ts'
import { pathTo, urls } from './urls.ts'

const keptHours = 24
const limits = { perSession: 5, inAll: 200 }
const maxPathLength = 500

/**
 * Keeps the typed fields of the request's form for its owner. Returns false and keeps nothing if nothing was typed: a
 * button alone can be pressed again on its page.
 */
export async function saveTypedForm(web: Web, context: Context<Env>, { hash, staff }: FormOwner): Promise<boolean> {
  const { db, clock } = web.app
  const { csrf, keptForm, ...fields } = await readRawForm(context)
  const action = pathBelow(web.base, context.req.path)
  if (action.length > maxPathLength || !Object.entries(fields).some(([name, value]) => isTyped(name, value)))
    return false
  const now = clock.now()
  const expiresAt = addMs(now, keptHours * hour)
  await saveForm(db, { sessionHash: hash, staff, action, fields, expiresAt }, limits, now)
  return true
}

/** The path below that of `web.url`. */
export function pathBelow(base: string, path: string): string {
  return base && path.startsWith(`${base}/`) ? path.slice(base.length) : path
}

/** The page with the kept forms. Each is shown as it was typed and is sent only by its button. */
export function keptFormsListPage(web: Web): Hono<Env> {
  return new Hono<Env>().get(urls.keptForms, (context) => showKeptForms(web, context))
}

export async function handleRemoval(web: Web, context: Context<Env>): Promise<Response> {
  const id = idParam(context, 'form')
  if (context.var.session) await removeKeptForm(web.app.db, context.var.session, id)
  return context.redirect(web.base + urls.keptForms, 303)
}

async function showKeptForms(web: Web, context: Context<Env>): Promise<Response> {
  const { session } = context.var
  const kept = session ? await keptForms(web.app.db, session, web.app.clock.now()) : []
  const forms = kept.map((form) => formView(web.base, form))
  return renderPage(web, context, 'studio-kept-forms', { title: 'What you typed', forms, hours: keptHours })
}

/** Headings of the forms. */
const subjects: [string, string][] = [
  [urls.letters, 'A new letter'],
  [urls.letter, 'Changes to a letter'],
  [urls.stop, 'Why an edition is stopped'],
  [urls.hold, 'Why an edition is put on hold'],
  [urls.cancellation, 'Why an edition is cancelled'],
  [urls.pause, 'Why an edition is stopped'],
  [urls.retraction, 'Why an article is removed'],
  [urls.edits, 'A change to an edition'],
  [urls.correctionDecision, 'A correction'],
  [urls.sendingStop, 'Why all sending is stopped'],
]

function subjectOf(action: string): string {
  const isAt = (url: string) => new RegExp(`^${url.replace(/:\w+/, '[^/]+')}$`).test(action)
  return subjects.find(([url]) => isAt(url))?.[1] ?? 'A form'
}

/** The labels of the fields that editors type into. */
const labels: Record<string, string> = {
  headline: 'Headline',
  title: 'Headline',
  summary: 'Summary',
  text: 'Text',
  name: 'Name',
  place: 'Place',
  received: 'Received on',
  reason: 'Why',
  words: 'Text of the correction',
  confirm: 'Yes, I am sure',
}

/**
 * Whether a person typed the value. Values that the page filled in (an id, an instant, a number, the name of a digest)
 * are one word that has a digit or only lower-case letters.
 */
function isTyped(name: string, value: string): boolean {
  if (value.trim() === '' || isCheckboxValue(value)) return false
  return name in labels || !/^[\w.:#-]*$/.test(value) || !/\d|^[a-z-]*$/.test(value)
}

function isCheckboxValue(value: string): boolean {
  return value === 'yes'
}

const maxLineLength = 100

function formView(base: string, { id, action, fields }: KeptForm) {
  return {
    id,
    action: base + action,
    page: base + pageOfForm(action),
    removal: base + pathTo(urls.keptFormRemoval, id),
    subject: fields.decision ? `${subjectOf(action)}: ${fields.decision}` : subjectOf(action),
    fields: Object.entries(fields).map(([name, value]) => fieldView(id, name, value)),
  }
}

function fieldView(form: string, name: string, value: string) {
  const isTicked = isCheckboxValue(value)
  const isShown = isTyped(name, value) || name in labels
  const isLong = /[\r\n]/.test(value) || value.length > maxLineLength || name === 'text'
  const view = { id: `form-${form}-${name}`, name, value, label: labelOf(name) }
  return {
    ...view,
    isTick: isTicked,
    isHidden: !isTicked && !isShown,
    isText: !isTicked && isShown && isLong,
    isLine: !isTicked && isShown && !isLong,
  }
}

function labelOf(name: string): string {
  return labels[name] ?? capitalise(name)
}

/** The path of the page with the form that submits to `action`. */
export function pageOfForm(action: string): string {
  const [, edition] = /^\/studio\/editions\/([^/]+)/.exec(action) ?? []
  if (edition) return pathTo(urls.studioEdition, decodeURIComponent(edition))
  const [letter] = /^\/studio\/letters(\/[^/]+)?/.exec(action) ?? []
  return letter ?? urls.studio
}
