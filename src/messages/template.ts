import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Handlebars from 'handlebars'
import { AppError, messageOf } from '../errors.ts'
import { withTexts } from './body.ts'
import { foldText } from './fold.ts'
import { paletteOf } from './palette.ts'
import { tidyView } from './tidy.ts'
import type { EditionView } from './view.ts'

/** What fills an edition into MJML and into plain text. Whatever the view holds is data, never template source. */
export type Template = { name: string; mjml(view: EditionView): string; text(view: EditionView): string }

/**
 * Reads `email/<name>.mjml.hbs`, `email/<name>.txt.hbs` and the parts that they share.
 * Throws an AppError with file and line for what is missing or cannot be read as Handlebars.
 */
export function openTemplate(templates: string, name: string): Template {
  if (!/^[\w-]+$/.test(name)) throw new AppError('invalid', `${name} is not the name of a template`)
  const folder = join(templates, 'email')
  const mjml = compile(folder, name, { suffix: '.mjml.hbs', noEscape: false })
  const text = compile(folder, name, { suffix: '.txt.hbs', noEscape: true })
  return {
    name,
    mjml: (view) => plainMarks(mjml(tidyView(view), { ...ownProperties, data: paletteOf(view.publication.colours) })),
    text: (view) => foldText(text(withTexts(tidyView(view)), ownProperties)),
  }
}

/** The default of Handlebars, said aloud: without it every attempt is also written to the console. */
const ownProperties = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false }

type CompileOptions = Parameters<typeof Handlebars.compile>[1]

type Kind = { suffix: string; noEscape: boolean }

function compile(folder: string, name: string, { suffix, noEscape }: Kind): Handlebars.TemplateDelegate<EditionView> {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('dotted', dotted)
  const options = { noEscape, strict: true, knownHelpersOnly: true, knownHelpers: { dotted: true } }
  const parts = listParts(join(folder, 'parts'), suffix)
  const known = new Set(parts.map((file) => basename(file, suffix)))
  const open = (file: string) => compileFile(handlebars, file, options, known)
  for (const file of parts) handlebars.registerPartial(basename(file, suffix), open(file))
  return open(join(folder, `${name}${suffix}`))
}

function listParts(folder: string, suffix: string): string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((file) => file.endsWith(suffix))
  return files.map((file) => join(folder, file))
}

/** Checks the whole file now (Handlebars itself waits for the first use) and names it in what it throws later. */
function compileFile(handlebars: typeof Handlebars, file: string, options: CompileOptions, known: Set<string>) {
  return inFile(file, () => {
    const program = handlebars.parse(read(file))
    refuseUnknownParts(program, known)
    handlebars.precompile(program, options)
    const fill = handlebars.compile<EditionView>(program, options)
    return (view: EditionView, more?: Handlebars.RuntimeOptions) => inFile(file, () => fill(view, more))
  })
}

function read(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8')
  throw new AppError('invalid', `${file}: there is no such template`)
}

function refuseUnknownParts(program: hbs.AST.Program, known: Set<string>): void {
  const visitor = new Handlebars.Visitor()
  visitor.PartialStatement = ({ name, loc }) => {
    const part = (name as hbs.AST.PathExpression).original
    if (!known.has(String(part))) throw new SyntaxError(`there is no part "${part}" - ${loc.start.line}:0`)
  }
  visitor.accept(program)
}

/** Handlebars says the line in words: "Parse error on line 12:" or, at the end, " - 12:3". */
function inFile<Result>(file: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (error instanceof AppError) throw error
    const message = messageOf(error)
    const line = /^Parse error on line (\d+):/.exec(message)?.[1] ?? / - (\d+):\d+$/.exec(message)?.[1]
    const words = message.replace(/^Parse error on line \d+:\s*/, '').replace(/ - \d+:\d+$/, '')
    throw new AppError('invalid', `${file}${line ? `:${line}` : ''}: ${words}`, { cause: error })
  }
}

/** `{{dotted source date}}`: those that there are, with a dot between. */
function dotted(...values: unknown[]): string {
  return values.slice(0, -1).filter(Boolean).join(' · ')
}

/** Handlebars escapes = and ` too, for attributes without quotes. Ours have quotes, and an address is to be read as it is. */
function plainMarks(mjml: string): string {
  return mjml.replaceAll('&#x3D;', '=').replaceAll('&#x60;', '`')
}
