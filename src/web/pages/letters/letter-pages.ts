import { type Context, Hono } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import {
  createLetter,
  DuplicateLetter,
  digestsWithLetters,
  editLetter,
  LetterChanged,
  withdrawPendingLetter,
} from '../../../editions/letters/letters.ts'
import type { TypedLetter } from '../../../editions/letters/read-letter.ts'
import { AppError } from '../../../errors.ts'
import { type Letter, letterById, lettersOf } from '../../../store/letters/letters.ts'
import { requireOwnForm } from '../../csrf.ts'
import { sentence } from '../../failure.ts'
import { dayFormatter } from '../../format.ts'
import { type Env, isId, readForm, readRawField, renderPage, staffOf, type Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import {
  type Conflict,
  conflictView,
  digestOf,
  digestTitle,
  editionLabel,
  formView,
  type TypedForm,
  toItem,
  toTypedLetter,
} from './letter-view.ts'

const maxWaiting = 200
const maxPrinted = 20

/** Readers' letters. Editors add, edit and withdraw them until an edition with them is sealed. */
export function letterPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.letters, (context) => showLetters(web, context))
    .post(urls.letters, requireOwnForm(web), (context) => handleAdd(web, context))
    .get(urls.letter, (context) => showLetter(web, context))
    .post(urls.letter, requireOwnForm(web), (context) => handleEdit(web, context))
    .post(urls.withdrawal, requireOwnForm(web), (context) => handleWithdraw(web, context))
}

async function showLetters(
  web: Web,
  context: Context<Env>,
  { typed, conflict, alert = '' }: { typed?: TypedForm; conflict?: Conflict; alert?: string } = {},
  code: ContentfulStatusCode = 200,
) {
  const { app, base } = web
  const waiting = await lettersOf(app.db, { state: 'waiting', limit: maxWaiting })
  const printed = await lettersOf(app.db, { state: 'printed', limit: maxPrinted })
  const done = await letterIfAny(web, context.req.query('done'))
  const digests = digestsWithLetters(app.digests)
  const action = base + urls.letters
  return renderPage(
    web,
    context,
    'studio-letters',
    {
      title: typed || alert ? 'Not saved: readers’ letters' : 'Readers’ letters',
      done: done ? [doneText(web, done)] : [],
      waiting: waiting.map((letter) => toItem(web, letter)),
      printed: printed.map((letter) => toItem(web, letter)),
      alert,
      form:
        digests.length === 0
          ? []
          : [
              formView({
                action,
                button: 'Save for the next edition',
                digests,
                typed,
                conflict: conflict && conflictView(web, conflict),
              }),
            ],
    },
    code,
  )
}

async function handleAdd(web: Web, context: Context<Env>): Promise<Response> {
  const { letter, digest: name, anyway } = await readLetterForm(context)
  const digest = digestsWithLetters(web.app.digests).find((one) => one.name === name)
  if (!digest) {
    const problems = [{ field: 'digest' as const, message: 'does not print letters: choose another' }]
    return showLetters(web, context, { typed: { letter, digest: name, problems } }, 400)
  }
  try {
    const created = await createLetter(web.app, digest, letter, staffOf(context), { anyway })
    if ('problems' in created) return showLetters(web, context, { typed: { letter, digest: name, ...created } }, 400)
    return redirectToList(web, context, created.id)
  } catch (error) {
    if (!(error instanceof DuplicateLetter)) throw error
    const conflict = duplicateConflict(web, error.letter, staffOf(context))
    return showLetters(web, context, { typed: { letter, digest: name, problems: [] }, conflict }, 409)
  }
}

/** The button sends the id of the saved letter, so pressing it twice adds one letter. */
function duplicateConflict(web: Web, other: Letter, staff: string): Conflict {
  const who = other.enteredBy === staff ? 'you' : other.enteredBy
  const on = dayFormatter(digestOf(web, other)?.zone)(other.enteredAt).text
  const where = other.editionId === null ? 'is already waiting' : `is already in ${editionLabel(web, other)}`
  const message = `The same letter ${where} (“${other.headline}”, added by ${who} on ${on}).`
  return { message, other, button: 'Save it again anyway', field: { name: 'anyway', value: other.id } }
}

async function showLetter(
  web: Web,
  context: Context<Env>,
  { typed, conflict }: { typed?: TypedForm; conflict?: Conflict } = {},
  code: ContentfulStatusCode = 200,
) {
  const letter = await findLetter(web, context)
  const digest = digestOf(web, letter)
  const isOpen = letter.editionId === null && letter.withdrawnAt === null
  const stored = { letter: toTypedLetter(letter, digest), digest: letter.digest, problems: [] }
  const form = formView({
    action: web.base + pathTo(urls.letter, letter.id),
    button: 'Save the letter',
    digests: [],
    typed: typed ?? stored,
    version: letter.version,
    conflict: conflict && conflictView(web, conflict),
  })
  const view = {
    title: `${typed ? 'Not saved: ' : ''}${letter.headline}`,
    ...toItem(web, letter),
    form: isOpen ? [form] : [],
  }
  return renderPage(web, context, 'studio-letter', view, code)
}

async function handleEdit(web: Web, context: Context<Env>): Promise<Response> {
  const stored = await findLetter(web, context)
  const { letter, version } = await readLetterForm(context)
  const digest = digestOf(web, stored)
  const typed = { letter, digest: stored.digest, problems: [] }
  try {
    const edit = { id: stored.id, zone: digest?.zone ?? 'UTC', version }
    const saved = await editLetter(web.app, edit, letter, staffOf(context))
    if ('problems' in saved) return showLetter(web, context, { typed: { ...typed, ...saved } }, 400)
  } catch (error) {
    if (!(error instanceof LetterChanged)) throw error
    const isSaved =
      error.letter.editedBy === staffOf(context) && isSameText(toTypedLetter(error.letter, digest), letter)
    if (!isSaved) return showLetter(web, context, { typed, conflict: changedConflict(error, staffOf(context)) }, 409)
  }
  return redirectToList(web, context, stored.id)
}

/** Whether the saved letter equals the typed one, as after a second press of the same button. */
function isSameText(stored: TypedLetter, typed: TypedLetter): boolean {
  const plain = ({ headline, name, place, text }: TypedLetter) =>
    [headline, name, place, text].map((field) => field.replace(/\s+/g, ' ').trim()).join('\n')
  return plain(stored) === plain(typed)
}

/** The button sends the version shown beside it, so that a third edit in between is not lost. */
function changedConflict({ letter: other }: LetterChanged, staff: string): Conflict {
  const who = other.editedBy === staff ? 'You have' : `${other.editedBy} has`
  const message = `${who} edited this letter since you opened it. The saved letter is here, yours is in the form below. Choose one at the end of the form.`
  const field = { name: 'version', value: String(other.version) }
  return { message, other, button: 'Replace it with mine', field }
}

async function handleWithdraw(web: Web, context: Context<Env>): Promise<Response> {
  const letter = await findLetter(web, context)
  const { confirm, version } = await readForm(context)
  if (confirm !== 'yes') throw new AppError('invalid', 'please tick the box: a withdrawn letter cannot be brought back')
  try {
    await withdrawPendingLetter(web.app, letter.id, staffOf(context), { version: parseVersion(version) })
  } catch (error) {
    const isDone = letter.withdrawnBy === staffOf(context)
    if (error instanceof LetterChanged)
      return showLetters(web, context, { alert: `${sentence(error.message)} The current letter is below.` }, 409)
    if (!isDone) throw error
  }
  return redirectToList(web, context, letter.id)
}

function redirectToList({ base }: Web, context: Context<Env>, id: string): Response {
  return context.redirect(`${base}${urls.letters}?done=${id}`, 303)
}

async function findLetter(web: Web, context: Context<Env>): Promise<Letter> {
  const letter = await letterIfAny(web, context.req.param('id'))
  if (!letter) throw new AppError('missing', 'there is no such letter')
  return letter
}

async function letterIfAny({ app }: Web, id = ''): Promise<Letter | undefined> {
  return isId(id) ? letterById(app.db, id) : undefined
}

async function readLetterForm(context: Context<Env>) {
  const { headline = '', name = '', place = '', received = '', digest = '', version, anyway } = await readForm(context)
  const letter: TypedLetter = { headline, name, place, received, text: await readRawField(context, 'text') }
  return { letter, digest, version: parseVersion(version), anyway }
}

/** 0 for a form without a version. */
function parseVersion(version = ''): number {
  return Number.parseInt(version, 10) || 0
}

/** What happened to the letter, by its row in the store. */
function doneText(web: Web, letter: Letter): string {
  const { headline, withdrawnAt, editionId, editedAt } = letter
  if (withdrawnAt !== null) return `“${headline}” was withdrawn. Its text was deleted.`
  if (editionId !== null) return `“${headline}” is in ${editionLabel(web, letter)}.`
  return `“${headline}” ${editedAt === null ? 'is saved' : 'is saved, as shown below,'} for the next edition of ${digestTitle(web, letter)}.`
}
