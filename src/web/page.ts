import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import Handlebars from 'handlebars'
import { AppError, messageOf } from '../errors.ts'

/** What the frame around every page shows, as `@site.name` and so on. */
export type Frame = {
  site: { name: string; url: string; contact: string }
  base: string
  staff: string
  csrf: string
  brake: string
  /** The stop that is in force, which a page sends back to lift it. */
  brakeId?: string
}

export type Pages = { fill(name: string, view: { title: string }, frame: Frame): string }

/** What may not be found in a view is an error, not a blank; what is found is escaped. */
const options = { strict: true, knownHelpersOnly: true, noEscape: false }

/** Compiles every `templates/web/*.hbs` with its parts, once. A fault in one is an AppError with the name of the file. */
export function openPages(): Pages {
  const handlebars = Handlebars.create()
  for (const [name, source] of sources('parts/')) handlebars.registerPartial(name, source)
  const pages = new Map(sources('').map(([name, source]) => [name, handlebars.compile<object>(source, options)]))
  return {
    fill(name, view, frame) {
      const page = pages.get(name)
      if (!page) throw new AppError('internal', `there is no page templates/web/${name}.hbs`)
      return page(view, { data: frame })
    },
  }
}

/** The text of `style.css`. */
export function readStyle(): string {
  return readFileSync(new URL('style.css', folder), 'utf8')
}

const folder = new URL('../../templates/web/', import.meta.url)

function sources(under: string): [string, string][] {
  const files = readdirSync(new URL(under, folder)).filter((file) => file.endsWith('.hbs'))
  return files.map((file) => {
    const url = new URL(under + file, folder)
    const source = readFileSync(url, 'utf8')
    try {
      Handlebars.precompile(source, options)
    } catch (error) {
      throw new AppError('internal', `${fileURLToPath(url)}: ${messageOf(error)}`, { cause: error })
    }
    return [file.replace('.hbs', ''), source]
  })
}
