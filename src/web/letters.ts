import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Digest } from '../editions/digest.ts'
import { type LetterProblem, longest, paragraphsOf, type TypedLetter } from '../editions/letter-words.ts'
import { editLetter, printingDigests, printLetter, withdraw } from '../editions/letters.ts'
import { AppError } from '../errors.ts'
import { type Letter, letterById, lettersOf } from '../store/letters.ts'
import { type Env, isId, readForm, readText, show, type Web } from './answer.ts'
import { ownForm } from './session.ts'
import { pathTo, urls } from './urls.ts'
import { dayWriter } from './words.ts'

const mostWaiting = 200
const mostPrinted = 20

/** Readers' letters: entered, reworded and withdrawn by editors, until an edition is sealed with them. */
export function letterPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.letters, (context) => showLetters(web, context))
    .post(urls.letters, ownForm(web), (context) => enter(web, context))
    .get(urls.letter, (context) => showLetter(web, context))
    .post(urls.letter, ownForm(web), (context) => reword(web, context))
    .post(urls.withdrawal, ownForm(web), (context) => takeBack(web, context))
}

/** What somebody typed, with what is wrong with it. */
type Typed = { letter: TypedLetter; digest: string; problems: (LetterProblem | DigestProblem)[] }
type DigestProblem = { field: 'digest'; message: string }

async function showLetters(web: Web, context: Context<Env>, typed?: Typed, code: ContentfulStatusCode = 200) {
  const { app, base } = web
  const waiting = await lettersOf(app.db, { state: 'waiting', limit: mostWaiting })
  const printed = await lettersOf(app.db, { state: 'printed', limit: mostPrinted })
  const done = await letterWith(web, context.req.query('done'))
  const digests = printingDigests(app.digests)
  const action = base + urls.letters
  return show(
    web,
    context,
    'studio-letters',
    {
      title: typed ? 'Not kept: readers’ letters' : 'Readers’ letters',
      done: done ? [doneWords(web, done)] : [],
      waiting: waiting.map((letter) => toItem(web, letter)),
      printed: printed.map((letter) => toItem(web, letter)),
      form: digests.length === 0 ? [] : [formView({ action, button: 'Keep it for printing', digests, typed })],
    },
    code,
  )
}

async function enter(web: Web, context: Context<Env>): Promise<Response> {
  const { letter, digest: name } = await readLetterForm(context)
  const digest = printingDigests(web.app.digests).find((one) => one.name === name)
  if (!digest) {
    const problems = [{ field: 'digest' as const, message: 'prints no letters: choose another' }]
    return showLetters(web, context, { letter, digest: name, problems }, 400)
  }
  const entered = await printLetter(web.app, digest, letter, staffOf(context))
  if ('problems' in entered) return showLetters(web, context, { letter, digest: name, ...entered }, 400)
  return backToList(web, context, entered.id)
}

async function showLetter(web: Web, context: Context<Env>, typed?: Typed, code: ContentfulStatusCode = 200) {
  const letter = await find(web, context)
  const digest = digestOf(web, letter)
  const isOpen = letter.editionId === null && letter.withdrawnAt === null
  const action = web.base + pathTo(urls.letter, letter.id)
  const asKept = { letter: typedAs(letter, digest), digest: letter.digest, problems: [] }
  const form = formView({ action, button: 'Save the letter', digests: [], typed: typed ?? asKept })
  const view = {
    title: `${typed ? 'Not saved: ' : ''}${letter.headline}`,
    ...toItem(web, letter),
    form: isOpen ? [form] : [],
  }
  return show(web, context, 'studio-letter', view, code)
}

async function reword(web: Web, context: Context<Env>): Promise<Response> {
  const kept = await find(web, context)
  const { letter } = await readLetterForm(context)
  const zone = digestOf(web, kept)?.zone ?? 'UTC'
  const saved = await editLetter(web.app, { id: kept.id, zone }, letter, staffOf(context))
  if ('problems' in saved) return showLetter(web, context, { letter, digest: kept.digest, ...saved }, 400)
  return backToList(web, context, kept.id)
}

async function takeBack(web: Web, context: Context<Env>): Promise<Response> {
  const { id } = await find(web, context)
  const { confirm } = await readForm(context)
  if (confirm !== 'yes') throw new AppError('invalid', 'please tick the box: a withdrawn letter cannot be brought back')
  await withdraw(web.app, id, staffOf(context))
  return backToList(web, context, id)
}

function backToList({ base }: Web, context: Context<Env>, id: string): Response {
  return context.redirect(`${base}${urls.letters}?done=${id}`, 303)
}

async function find(web: Web, context: Context<Env>): Promise<Letter> {
  const letter = await letterWith(web, context.req.param('id'))
  if (!letter) throw new AppError('missing', 'there is no such letter')
  return letter
}

async function letterWith({ app }: Web, id = ''): Promise<Letter | undefined> {
  return isId(id) ? letterById(app.db, id) : undefined
}

async function readLetterForm(context: Context<Env>): Promise<{ letter: TypedLetter; digest: string }> {
  const { headline = '', name = '', place = '', received = '', digest = '' } = await readForm(context)
  return { letter: { headline, name, place, received, text: await readText(context, 'text') }, digest }
}

function staffOf(context: Context<Env>): string {
  return context.var.session?.staff ?? ''
}

function digestOf({ app }: Web, { digest }: Letter): Digest | undefined {
  return app.digests.find(({ name }) => name === digest)
}

/** Read from the record, so that it cannot say what did not happen. */
function doneWords(web: Web, letter: Letter): string {
  const { headline, withdrawnAt, editionId, editedAt } = letter
  if (withdrawnAt !== null) return `“${headline}” is withdrawn, and what was written is erased.`
  if (editionId !== null) return `“${headline}” stands in ${editionOf(web, letter)}.`
  return `“${headline}” ${editedAt === null ? 'waits' : 'waits, as you see it below,'} for the next edition of ${titleOf(web, letter)}.`
}

function titleOf(web: Web, letter: Letter): string {
  return digestOf(web, letter)?.title ?? letter.digest
}

function editionOf(web: Web, letter: Letter): string {
  return `${titleOf(web, letter)} ${letter.number ?? ''}`.trim()
}

function toItem(web: Web, letter: Letter) {
  const { id, headline, text, name, place, receivedAt, enteredBy, editedBy, editionId, withdrawnBy } = letter
  return {
    headline,
    paragraphs: paragraphsOf(text),
    name,
    place,
    received: receivedAt === null ? [] : [dayWriter(digestOf(web, letter)?.zone)(receivedAt)],
    digest: titleOf(web, letter),
    entered: `Entered by ${enteredBy}${editedBy === null ? '' : `, reworded by ${editedBy}`}`,
    withdrawn: withdrawnBy ?? '',
    edition:
      editionId === null
        ? []
        : [{ name: editionOf(web, letter), href: web.base + pathTo(urls.studioEdition, editionId) }],
    edit: web.base + pathTo(urls.letter, id),
    withdrawal: web.base + pathTo(urls.withdrawal, id),
  }
}

function typedAs(letter: Letter, digest: Digest | undefined): TypedLetter {
  const { headline, text, name, place, receivedAt } = letter
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: digest?.zone ?? 'UTC' })
  return { headline, text, name, place, received: receivedAt === null ? '' : day.format(new Date(receivedAt)) }
}

const empty: Typed = { letter: { headline: '', text: '', name: '', place: '', received: '' }, digest: '', problems: [] }

type Form = { action: string; button: string; digests: Digest[]; typed: Typed | undefined }

/** Every field with what was typed, and beside it what is wrong with it. */
function formView({ action, button, digests, typed = empty }: Form) {
  const { letter, problems, digest } = typed
  const messages = Object.fromEntries(
    (['digest', 'headline', 'text', 'name', 'place', 'received'] as const).map((field) => [
      field,
      problems.filter((one) => one.field === field).map(({ message }) => message),
    ]),
  )
  const labels = {
    digest: 'Digest',
    headline: 'Headline',
    text: 'Letter',
    name: 'Name',
    place: 'Place',
    received: 'Received on',
  }
  return {
    action,
    button,
    letter,
    problems: messages,
    summary: problems.map(({ field, message }) => ({ id: field, label: labels[field], message })),
    digests: digests.map(({ name, title }) => ({ name, title, selected: name === digest })),
    limits: Object.fromEntries(Object.entries(longest).map(([field, most]) => [field, most.toLocaleString('en-GB')])),
  }
}
