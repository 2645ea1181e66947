import { messageOf } from '../errors.ts'
import { extractBodies } from './body.ts'
import { toProbeEdition } from './probe-edition.ts'
import type { Template } from './template.ts'
import { templateFaults } from './template-faults.ts'
import { tidyText, tidyView } from './tidy.ts'
import type { EditionView } from './view.ts'

/** `problems` is what is wrong with the template, in words; empty for one that may be sealed. */
export type RenderedMessage = { subject: string; html: string; text: string; problems: string[] }

/**
 * Handlebars first, then MJML: what came from a feed is escaped text before MJML sees it. Bodies are HTML, and are set in
 * after both. The template is judged by an edition of the same shape with harmless words: nothing that a feed wrote is
 * ever a fault of the template.
 */
export async function renderEdition(view: EditionView, template: Template): Promise<RenderedMessage> {
  const probe = toProbeEdition(tidyView(view))
  const judged = await fillTemplate(probe, template)
  const { html, text, broken } = await fillTemplate(view, template)
  const faults = judged.broken ?? mjmlProblems(judged.errors, probe, template)
  const problems = faults.length > 0 ? faults : (broken ?? templateFaults(probe, judged, template.files))
  return { subject: tidyText(view.subject), html, text, problems }
}

/** `broken`: why there is no HTML. `errors`: what MJML passed over. */
type FilledTemplate = { html: string; text: string; errors: MjmlError[]; broken?: string[] }

async function fillTemplate(view: EditionView, template: Template): Promise<FilledTemplate> {
  const { default: mjml2html } = await import('mjml') // 0.7 s: only who renders pays for it
  const extracted = extractBodies(view)
  const mjml = template.mjml(extracted.view)
  const text = template.text(view)
  try {
    const options = { ignoreIncludes: true, validationLevel: 'soft', fonts: {} } as const
    const { html, errors } = await mjml2html(mjml, options)
    const whole = extracted.restoreBodies(withMainRole(withoutIndents(html)))
    const problems = whole.problems.map((problem) => `${template.files.mjml}: ${problem}`)
    return { html: whole.html, text, errors, ...(problems.length > 0 && { broken: problems }) }
  } catch (error) {
    return { html: '', text, errors: [], broken: [`${template.files.mjml}: ${messageOf(error)}`] }
  }
}

/** So many problems are named; one misspelt thing may be in every article. */
const maxProblemsShown = 5

function mjmlProblems(errors: MjmlError[], view: EditionView, template: Template): string[] {
  if (errors.length === 0) return []
  const placeOf = template.locateTags(view)
  const problems = [...new Set(errors.map((error) => toProblem(error, placeOf, template)))]
  const more = problems.length - maxProblemsShown
  return more > 0 ? [...problems.slice(0, maxProblemsShown), `… and ${more} more`] : problems
}

type MjmlError = { line: number; tagName: string; message: string }

/** MJML counts the lines of what it was given, which is the filled template. */
function toProblem(
  { line, tagName, message }: MjmlError,
  placeOf: ReturnType<Template['locateTags']>,
  template: Template,
): string {
  const place = placeOf(line, tagName)
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
function withMainRole(html: string): string {
  return html.replace('aria-roledescription="email" role="article"', 'role="main"')
}
