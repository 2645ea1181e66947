import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Handlebars from 'handlebars'
import { directionOf } from '../describe/language.ts'
import { AppError } from '../errors.ts'
import { checkTranslations, registerTranslation } from '../messages/language/translation-helper.ts'
import { withFileName } from '../messages/template-error.ts'

/** The values of the layout around every page, such as `@site.name`. */
export type PageLayout = {
  /** The language tag of the page. */
  language: string
  site: { name: string; url: string; contact: string }
  base: string
  staff: string
  csrf: string
  sendingStop: string
  /** The id of the current stop of all sending; the form that resumes sends it back. */
  sendingStopId?: string
}

export type Pages = { render(name: string, view: { title: string }, frame: PageLayout): string }

/** A value missing from a view is an error; every value is escaped. */
const options = { strict: true, knownHelpersOnly: true, knownHelpers: { t: true }, noEscape: false }

let opened: Pages | undefined

/**
 * Compiles every `templates/web/*.hbs` with its parts, once in a process. AppError `internal` with the file's path for a
 * broken template.
 */
export function openPages(): Pages {
  opened ??= compilePages()
  return opened
}

function compilePages(): Pages {
  const handlebars = Handlebars.create()
  registerTranslation(handlebars, options)
  for (const [name, source] of sources('parts/')) handlebars.registerPartial(name, source)
  const pages = new Map(sources('').map(([name, source]) => [name, handlebars.compile<object>(source, options)]))
  return {
    render(name, view, frame) {
      const page = pages.get(name)
      if (!page) throw new AppError('internal', `there is no page templates/web/${name}.hbs`)
      return page(view, { data: { ...frame, dir: directionOf(frame.language) } })
    },
  }
}

/** The text of `style.css`. */
export function readStyle(): string {
  return readFileSync(new URL('style.css', templateFolder), 'utf8')
}

const templateFolder = new URL('../../templates/web/', import.meta.url)

function sources(subfolder: string): [string, string][] {
  const files = readdirSync(new URL(subfolder, templateFolder)).filter((file) => file.endsWith('.hbs'))
  return files.map((file) => {
    const url = new URL(subfolder + file, templateFolder)
    const source = readFileSync(url, 'utf8')
    withFileName(fileURLToPath(url), () => checkSource(source), 'internal')
    return [file.replace('.hbs', ''), source]
  })
}

function checkSource(source: string): void {
  const program = Handlebars.parse(source)
  checkTranslations(program)
  Handlebars.precompile(program, options)
}
