import { messageOf } from '../errors.ts'
import { tidyText } from '../text/characters.ts'
import { extractBodies } from './body/extract-bodies.ts'
import { isolatesAsElements } from './language/isolate-view.ts'
import { toProbeEdition } from './probe-edition.ts'
import type { Template } from './template.ts'
import { templateFaults } from './template-faults.ts'
import { tidyView } from './tidy.ts'
import type { EditionView } from './view.ts'

/** `problems`: the faults of the template; an edition can be sealed if there are none. */
export type RenderedMessage = { subject: string; html: string; text: string; problems: string[] }

/**
 * Renders with Handlebars first, so that texts of feeds are escaped, then with MJML; the HTML of bodies is inserted last.
 * The template is checked with a probe (see `toProbeEdition`), so that no text of a feed counts as its fault.
 */
export async function renderEdition(view: EditionView, template: Template): Promise<RenderedMessage> {
  const probe = toProbeEdition(tidyView(view))
  const probed = await fillTemplate(probe, template)
  const { html, text, broken } = await fillTemplate(view, template)
  const faults = probed.broken ?? mjmlProblems(probed.errors, probe, template)
  const problems = faults.length > 0 ? faults : (broken ?? templateFaults(probe, probed, template.files))
  return { subject: tidyText(view.subject), html, text, problems }
}

/** `broken`: why there is no HTML. `errors`: what MJML ignored. */
type FilledTemplate = { html: string; text: string; errors: MjmlError[]; broken?: string[] }

async function fillTemplate(view: EditionView, template: Template): Promise<FilledTemplate> {
  const { default: mjml2html } = await import('mjml') // takes 0.7 s, so only a rendering loads it
  const extracted = extractBodies(view)
  const mjml = template.mjml(extracted.view)
  const text = template.text(view)
  try {
    const options = { ignoreIncludes: true, validationLevel: 'soft', fonts: {} } as const
    const { html, errors } = await mjml2html(mjml, options)
    const restored = extracted.restoreBodies(isolatesAsElements(withMainRole(withoutIndents(html))))
    const problems = restored.problems.map((problem) => `${template.files.mjml}: ${problem}`)
    return { html: restored.html, text, errors, ...(problems.length > 0 && { broken: problems }) }
  } catch (error) {
    return { html: '', text, errors: [], broken: [`${template.files.mjml}: ${messageOf(error)}`] }
  }
}

/** One misspelt word may be a problem in every article. */
const maxProblemsShown = 5

function mjmlProblems(errors: MjmlError[], view: EditionView, template: Template): string[] {
  if (errors.length === 0) return []
  const placeOf = template.locateTags(view)
  const problems = [...new Set(errors.map((error) => toProblem(error, placeOf, template)))]
  const more = problems.length - maxProblemsShown
  return more > 0 ? [...problems.slice(0, maxProblemsShown), `… and ${more} more`] : problems
}

type MjmlError = { line: number; tagName: string; message: string }

/** MJML counts the lines of the filled template. */
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
      'is not an MJML tag, and is allowed inside <mj-text>, <mj-table> or <mj-raw> only',
    )
    .trim()
  return place
    ? `${place}: <${tagName}> ${words}`
    : `${template.files.mjml}: <${tagName}> in line ${line} of the filled template ${words}`
}

/** A third of MJML's output is indents. Line breaks stay, since between words they are spaces. */
function withoutIndents(html: string): string {
  return html.replace(/[ \t]*\n\s*/g, '\n').trim()
}

/**
 * MJML wraps the content in `role="article"` with a label, which axe reports because it is outside all landmarks (region).
 * As the main landmark it leads screen readers to the start.
 */
function withMainRole(html: string): string {
  return html.replace('aria-roledescription="email" role="article"', 'role="main"')
}
