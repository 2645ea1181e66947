import { AppError, messageOf } from '../errors.ts'
import { bodiesAside } from './body.ts'
import type { Template } from './template.ts'
import { templateFaults } from './template-faults.ts'
import { tidyText } from './tidy.ts'
import type { EditionView } from './view.ts'

/** `problems` is what is wrong with the template, in words; empty for one that may be sealed. */
export type Rendered = { subject: string; html: string; text: string; problems: string[] }

/**
 * Handlebars first, then MJML: what came from a feed is escaped text before MJML sees it. Bodies are HTML, and are set in
 * after both.
 */
export async function renderEdition(view: EditionView, template: Template): Promise<Rendered> {
  const aside = bodiesAside(view)
  const { html, problems } = await toHtml(aside.view, template)
  const whole = aside.putBack(html)
  const text = template.text(view)
  const all = [...problems, ...whole.problems.map((problem) => `${template.files.mjml}: ${problem}`)]
  if (all.length === 0) all.push(...templateFaults(view, { html: whole.html, text }, template.files))
  return { subject: tidyText(view.subject), html: whole.html, text, problems: all }
}

/** Loads what rendering needs. That takes half a second, in which nothing else happens: whoever serves pages does it first. */
export async function loadRenderer(): Promise<void> {
  await import('mjml')
}

/** So many problems are named; one misspelt thing may be in every article. */
const problemsNamed = 5

async function toHtml(view: EditionView, template: Template): Promise<{ html: string; problems: string[] }> {
  const { default: mjml2html } = await import('mjml') // 0.7 s: only who renders pays for it
  try {
    const options = { ignoreIncludes: true, validationLevel: 'soft', fonts: {} } as const
    const { html, errors } = await mjml2html(template.mjml(view), options)
    const problems = [...new Set(errors.map((error) => toProblem(error, view, template)))]
    const more = problems.length - problemsNamed
    return {
      html: withMain(withoutIndents(html)),
      problems: more > 0 ? [...problems.slice(0, problemsNamed), `… and ${more} more`] : problems,
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    return { html: '', problems: [`${template.files.mjml}: ${messageOf(error)}`] }
  }
}

type MjmlError = { line: number; tagName: string; message: string }

/** MJML counts the lines of what it was given, which is the filled template. */
function toProblem({ line, tagName, message }: MjmlError, view: EditionView, template: Template): string {
  const place = template.placeOf(view, line, tagName)
  const words = message
    .replace(/^Attribute (\S+) is illegal$/, 'has no attribute “$1”')
    .replace(
      /^Element \S+ doesn't exist or is not registered$/,
      'is no tag of MJML and may stand in <mj-text>, <mj-table> or <mj-raw> only',
    )
    .trim()
  return place
    ? `${place}: <${tagName}> ${words}`
    : `${template.files.mjml}: <${tagName}> in line ${line} of the filled template ${words}`
}

/** A third of what MJML writes is indents. A break stays where there was one: between words it is a space. */
function withoutIndents(html: string): string {
  return html.replace(/[ \t]*\n\s*/g, '\n').trim()
}

/**
 * MJML wraps everything in `role="article"` with the title as label. A labelled element outside of every landmark is a
 * finding of axe (region); as the one landmark, which it is, it helps a screen reader to the start.
 */
function withMain(html: string): string {
  return html.replace('aria-roledescription="email" role="article"', 'role="main"')
}
