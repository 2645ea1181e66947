import type { Command } from 'commander'
import { type App, throwIfRejected } from '../../app.ts'
import { describeReason } from '../../describe/describe.ts'
import { editionName } from '../../editions/edition.ts'
import { type Edit, editText } from '../../editions/edits/edit.ts'
import { canEdit, editEdition, undoEdit } from '../../editions/edits/edit-edition.ts'
import type { EditStatus } from '../../editions/edits/edit-status.ts'
import { type ListedEdit, listEdits } from '../../editions/edits/list-edits.ts'
import type { TypedEdit } from '../../editions/edits/read-edit.ts'
import { sealEdited } from '../../editions/ensure-sealed.ts'
import { sealFailure } from '../../editions/seal-failure.ts'
import { AppError } from '../../errors.ts'
import { editionById } from '../../store/editions/editions.ts'
import { editsOf } from '../../store/editions/edits.ts'
import { editionEvents } from '../../store/events/events.ts'
import type { EditionRow } from '../../store/schema.ts'
import { print, printJson, printStderr, sanitizeLine } from '../terminal/output.ts'
import { whoOption } from '../terminal/who-option.ts'
import { withApp } from '../with-app.ts'
import { findArticle } from './find-article.ts'
import { findEdition } from './find-edition.ts'

type Options = {
  who: string
  json?: boolean
  never?: boolean
  block?: string
  /** False: removed. */
  link?: string | false
  picture?: string | false
} & Pick<TypedEdit, 'section' | 'title' | 'summary' | 'text' | 'linkText' | 'alt' | 'before'>

type OptionName = keyof Options

/** One kind of change: what follows its name, the options that it takes, and how it is typed. */
type Change = {
  usage: string
  words: [least: number, most: number]
  options: OptionName[]
  read(app: App, edition: EditionRow, words: string[], options: Options): Promise<TypedEdit> | TypedEdit
}

async function articleTarget({ db }: App, edition: EditionRow, name = ''): Promise<{ target: string }> {
  return { target: await findArticle(db, edition, name) }
}

const changes: Record<string, Change> = {
  pin: {
    usage: 'pin ARTICLE [--section S]',
    words: [1, 1],
    options: ['section'],
    read: async (app, edition, [name], { section }) => ({
      kind: 'pin',
      section,
      ...(await articleTarget(app, edition, name)),
    }),
  },
  drop: {
    usage: 'drop ARTICLE [--never]',
    words: [1, 1],
    options: ['never'],
    read: async (app, edition, [name], { never }) => ({
      kind: never ? 'exclude' : 'drop',
      ...(await articleTarget(app, edition, name)),
    }),
  },
  move: {
    usage: 'move ARTICLE --section S',
    words: [1, 1],
    options: ['section'],
    read: async (app, edition, [name], { section }) => ({
      kind: 'move',
      section,
      ...(await articleTarget(app, edition, name)),
    }),
  },
  reorder: {
    usage: 'reorder SECTION ARTICLE…',
    words: [2, 100],
    options: [],
    read: async ({ db }, edition, [target, ...names]) => {
      const articles: string[] = []
      for (const name of names) articles.push(await findArticle(db, edition, name))
      return { kind: 'order', target, articles }
    },
  },
  reword: {
    usage: 'reword ARTICLE [--title T] [--summary T]',
    words: [1, 1],
    options: ['title', 'summary'],
    read: async (app, edition, [name], { title, summary }) => ({
      kind: 'reword',
      title,
      summary,
      ...(await articleTarget(app, edition, name)),
    }),
  },
  picture: {
    usage: 'picture ARTICLE [ADDRESS] [--alt T] [--no-picture]',
    words: [1, 2],
    options: ['alt', 'picture'],
    read: async (app, edition, [name, address], { alt, picture = address }) => ({
      kind: 'picture',
      picture: emptyIfRemoved(picture),
      alt,
      ...(await articleTarget(app, edition, name)),
    }),
  },
  introduction: textChange('introduction'),
  subject: textChange('subject'),
  preheader: textChange('preheader'),
  block: {
    usage:
      'block HEADING [--text T] [--link A | --no-link] [--link-text T] [--picture A | --no-picture] [--alt T] [--before S] [--block N]',
    words: [1, 1],
    options: ['text', 'link', 'linkText', 'picture', 'alt', 'before', 'block'],
    read: async (app, edition, [heading], { block, ...options }) => {
      const { text, linkText, alt, before } = options
      const target = block === undefined ? undefined : await blockTarget(app, edition, block)
      const [link, picture] = [emptyIfRemoved(options.link), emptyIfRemoved(options.picture)]
      return { kind: 'block', heading, text, link, linkText, picture, alt, before, target }
    },
  },
}

function emptyIfRemoved(option: string | false | undefined): string | undefined {
  return option === false ? '' : option
}

/** An empty text removes the current one. */
function textChange(kind: 'introduction' | 'subject' | 'preheader'): Change {
  return { usage: `${kind} TEXT`, words: [1, 1], options: [], read: (_app, _edition, [text]) => ({ kind, text }) }
}

/** `edition edit`: what an editor changes in an edition before it is approved. */
export function addEditCommand(edition: Command, editionArgument: string): void {
  const usages = [...Object.values(changes).map(({ usage }) => usage), 'list', 'undo N']
  edition
    .command('edit')
    .description('edit the articles and texts of an edition before it is approved')
    .argument('<edition>', editionArgument)
    .argument('<change>', [...Object.keys(changes), 'list', 'undo'].join(', '))
    .argument('[words...]', 'the arguments of the change; an article is an id, an address, or words of its headline')
    .option('--section <name>', 'the section of a pinned or moved article')
    .option('--never', 'also drop it from every later edition')
    .option('--title <text>', 'the headline')
    .option('--summary <text>', 'the summary; empty for none')
    .option('--text <text>', 'the text of a block, with blank lines between paragraphs')
    .option('--link <address>', 'the address that a block links to')
    .option('--no-link', 'remove the link of a block')
    .option('--link-text <text>', 'the text of that link')
    .option('--picture <address>', 'the picture of a block or an article')
    .option('--no-picture', 'remove the picture of a block or an article')
    .option('--alt <text>', 'what a picture shows')
    .option('--before <section>', 'place a block before this section; default: after the last')
    .option('--block <n>', 'change the block that this change number made; what is not named stays')
    .option(...whoOption)
    .option('--json', 'as JSON')
    .addHelpText('after', `\nChanges:\n${usages.map((usage) => `  ${usage}`).join('\n')}`)
    .action((name: string, change: string, words: string[], options: Options, command: Command) =>
      withApp(command, (app) => runEdit(app, name, { change, words, options })),
    )
}

type Typed = { change: string; words: string[]; options: Options }

async function runEdit(app: App, name: string, { change, words, options }: Typed): Promise<void> {
  const edition = await findEdition(app, name)
  throwIfRejected(app, edition.digest)
  if (change === 'list') return await printEdits(app, edition, options)
  if (change === 'undo') return await undo(app, edition, words, options)
  const known = Object.hasOwn(changes, change) ? changes[change] : undefined
  if (!known)
    throw new AppError('invalid', `there is no change “${change}”`, {
      hint: `Expected one of ${[...Object.keys(changes), 'list', 'undo'].join(', ')}.`,
    })
  checkUsage(known, change, words, options)
  const typed = await known.read(app, edition, words, options)
  const edit = await editEdition(app, edition.id, typed, options.who)
  await sealEdited(app, edition.id)
  await report(app, edit, options)
}

function checkUsage(
  { usage, words: [least, most], options: own }: Change,
  name: string,
  words: string[],
  options: Options,
): void {
  const hint = `Usage: lastword edition edit EDITION ${usage}`
  if (words.length < least || words.length > most)
    throw new AppError('invalid', `${name} needs ${words.length < least ? 'more' : 'fewer'} words`, { hint })
  const foreign = (Object.keys(options) as OptionName[]).find(
    (one) => one !== 'who' && one !== 'json' && !own.includes(one),
  )
  if (foreign) throw new AppError('invalid', `${name} takes no ${optionText(foreign)}`, { hint })
}

/** `linkText` is --link-text. */
function optionText(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

async function undo(app: App, edition: EditionRow, words: string[], options: Options): Promise<void> {
  const number = readNumber(words.length === 1 ? words[0] : undefined)
  const edit = await undoEdit(app, edition.id, number, options.who)
  await sealEdited(app, edition.id)
  await report(app, edit, options)
}

async function blockTarget({ db }: App, edition: EditionRow, number: string): Promise<string> {
  const made = (await editsOf(db, edition.id)).find((edit) => edit.number === readNumber(number))
  if (made?.kind === 'block') return made.target
  throw new AppError('missing', `change ${number} made no block`)
}

function readNumber(text: string | undefined): number {
  if (text !== undefined && /^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new AppError('invalid', 'expected the number of a change', {
    hint: 'lastword edition edit EDITION list shows them.',
  })
}

async function report(app: App, edit: Edit, { json }: Options): Promise<void> {
  const edition = await editionById(app.db, edit.editionId)
  if (!edition) return
  const digest = app.digests.find(({ name }) => name === edition.digest)
  const listed = (await listEdits(app.db, edition, digest)).find((one) => one.edit.id === edit.id)
  if (json && listed) return printJson(toJson(listed))
  print(`${editionName(edition)}: ${edit.undoneAt === null ? '' : 'undone: '}${editText(edit)} (change ${edit.number})`)
  const failure = sealFailure(edition, await editionEvents(app.db, edition.id))
  if (failure !== undefined)
    printStderr(sanitizeLine(`not sealed, and tried again by lastword start: ${describeReason(failure)}`))
  if (edition.sealedAt === null || !canEdit(edition)) return
  const held = edition.reason === null ? '' : `; it is held: ${describeReason(edition.reason)}`
  printStderr(sanitizeLine(`sealed as revision ${edition.revision}${held}`))
  printStderr(`lastword edition preview ${edition.id} --out DIR writes the new email`)
}

async function printEdits(app: App, edition: EditionRow, { json }: Options): Promise<void> {
  const digest = app.digests.find(({ name }) => name === edition.digest)
  const edits = await listEdits(app.db, edition, digest)
  if (json) for (const edit of edits) printJson(toJson(edit))
  else if (edits.length === 0) printStderr(`Nobody has changed ${editionName(edition)}.`)
  else for (const edit of edits) print(editLine(edit))
}

const statusNotes: Record<EditStatus, string> = {
  applies: '',
  replaced: ' (replaced by a later change)',
  gone: ' (no longer applies)',
  undone: ' (undone)',
}

/** "3  2026-11-27T07:00:00.000Z  mira dropped “Trams return” (no longer applies)". */
export function editLine({ edit, status }: ListedEdit): string {
  return `${edit.number}  ${edit.at}  ${sanitizeLine(`${edit.who} ${editText(edit)}`)}${statusNotes[status]}`
}

function toJson({ edit, status }: ListedEdit) {
  return { ...edit, status }
}
