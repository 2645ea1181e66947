import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import Handlebars from 'handlebars'
import { directionOf } from '../describe/language.ts'
import { AppError } from '../errors.ts'
import { foldText } from '../mail/fold-text.ts'
import { isolate, sidesOf } from '../text/direction.ts'
import { addBodyTexts } from './body/extract-bodies.ts'
import { isolateView } from './language/isolate-view.ts'
import { checkTranslations, registerTranslation } from './language/translation-helper.ts'
import { linesBefore, unknownTag, unknownTagText } from './mjml-tags.ts'
import { paletteOf } from './palette.ts'
import { withFileName } from './template-error.ts'
import { tidyView } from './tidy.ts'
import type { EditionView } from './view.ts'

/** Fills an edition into MJML and plain text. The view is data, never template source. */
export type Template = {
  files: { mjml: string; text: string }
  mjml(view: EditionView): string
  text(view: EditionView): string
  /** Finds the template's file and line of a tag in a line (from 1) of the filled MJML; undefined if no file has it. */
  locateTags(view: EditionView): (line: number, tag: string) => string | undefined
}

/**
 * Reads `email/<name>.mjml.hbs`, `email/<name>.txt.hbs` and their parts. Throws an AppError with file and line for a
 * missing file, invalid Handlebars or an unknown MJML tag.
 */
export function openTemplate(templates: string, name: string): Template {
  if (!/^[\w-]+$/.test(name)) throw new AppError('invalid', `${name} is not the name of a template`)
  const folder = join(templates, 'email')
  const mjml = compile(folder, name, { suffix: '.mjml.hbs', noEscape: false, prepare: refuseUnknownTags })
  const text = compile(folder, name, { suffix: '.txt.hbs', noEscape: true })
  const fill = (template: typeof mjml, view: EditionView) =>
    unescapeMarks(
      template(isolateView(tidyView(view)), {
        ...runtimeOptions,
        data: { ...paletteOf(view.publication.colours), ...languageData(view.language) },
      }),
    )
  return {
    files: { mjml: join(folder, `${name}.mjml.hbs`), text: join(folder, `${name}.txt.hbs`) },
    mjml: (view) => fill(mjml, view),
    text: (view) =>
      foldText(
        text(addBodyTexts(isolateView(tidyView(view))), { ...runtimeOptions, data: languageData(view.language) }),
      ),
    locateTags(view) {
      const marked = compile(folder, name, { suffix: '.mjml.hbs', noEscape: false, prepare: markPlaces })
      const lines = fill(marked, view).split('\n')
      return (line, tag) => {
        const found = lines[line - 1]?.split(`<${tag} ${placeMark}="`)[1]
        return found?.slice(0, found.indexOf('"'))
      }
    },
  }
}

/** `@start` and `@end` are the sides of a line: left and right, or the reverse in Arabic or Hebrew. */
function languageData(language: string) {
  const dir = directionOf(language)
  return { language, dir, ...sidesOf(dir) }
}

/** Handlebars' defaults; unless they are explicit, each denied access is also written to the console. */
const runtimeOptions = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false }

type CompileOptions = Parameters<typeof Handlebars.compile>[1]

/** `prepare` checks or changes each parsed file before it is compiled. */
type TemplateKind = { suffix: string; noEscape: boolean; prepare?: (program: hbs.AST.Program, file: string) => void }

function compile(
  folder: string,
  name: string,
  { suffix, noEscape, prepare }: TemplateKind,
): Handlebars.TemplateDelegate<EditionView> {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('dotted', dotted)
  registerTranslation(handlebars, { noEscape })
  const options = { noEscape, strict: true, knownHelpersOnly: true, knownHelpers: { dotted: true, t: true } }
  const parts = listParts(join(folder, 'parts'), suffix)
  const known = new Set(parts.map((file) => basename(file, suffix)))
  const open = (file: string) => compileFile(handlebars, file, options, { known, prepare })
  for (const file of parts) handlebars.registerPartial(basename(file, suffix), open(file))
  return open(join(folder, `${name}${suffix}`))
}

function listParts(folder: string, suffix: string): string[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((file) => file.endsWith(suffix))
  return files.map((file) => join(folder, file))
}

/** Checks the whole file now (Handlebars would at its first use), and names it in later errors. */
function compileFile(
  handlebars: typeof Handlebars,
  file: string,
  options: CompileOptions,
  { known, prepare }: { known: Set<string>; prepare: TemplateKind['prepare'] },
) {
  return withFileName(file, () => {
    const program = handlebars.parse(read(file))
    refuseUnknownParts(program, known)
    checkTranslations(program)
    prepare?.(program, file)
    handlebars.precompile(program, options)
    const fill = handlebars.compile<EditionView>(program, options)
    return (view: EditionView, more?: Handlebars.RuntimeOptions) => withFileName(file, () => fill(view, more))
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

/** MJML drops or passes on unknown tags, so a misspelt one would lose a section silently. */
function refuseUnknownTags(program: hbs.AST.Program): void {
  const visitor = new Handlebars.Visitor()
  visitor.ContentStatement = ({ original, loc }) => {
    const unknown = unknownTag(String(original))
    if (unknown) throw new SyntaxError(`${unknownTagText(unknown.name)} - ${loc.start.line + unknown.line}:0`)
  }
  visitor.accept(program)
}

const placeMark = 'lastword-place'

/** Adds file and line to each tag as an attribute. Line breaks do not change. */
function markPlaces(program: hbs.AST.Program, file: string): void {
  const tag = /<[a-z][\w-]*/gi
  const visitor = new Handlebars.Visitor()
  visitor.ContentStatement = (statement) => {
    const original = String(statement.original)
    const { loc } = statement
    const lines = [...original.matchAll(tag)].map(({ index }) => loc.start.line + linesBefore(original, index))
    let next = 0
    statement.value = statement.value.replace(tag, (found) => `${found} ${placeMark}="${file}:${lines[next++]}"`)
  }
  visitor.accept(program)
}

/**
 * `{{dotted source date}}`: the values that are not empty, with dots between. One of the other direction is isolated, so
 * that it does not take the next one with it.
 */
function dotted(...all: unknown[]): string {
  const { data } = all.at(-1) as Handlebars.HelperOptions
  const values = all.slice(0, -1).filter(Boolean).map(String)
  return values.map((value) => isolate(value, data.dir)).join(' · ')
}

/** Handlebars also escapes = and ` for attributes without quotes. Ours have quotes, and addresses should be readable. */
function unescapeMarks(mjml: string): string {
  return mjml.replaceAll('&#x3D;', '=').replaceAll('&#x60;', '`')
}
