import { messageOf } from '../errors.ts'
import { bodiesAside } from './body.ts'
import type { Template } from './template.ts'
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
  const { html, problems } = await toHtml(template.mjml(aside.view), template.name)
  const whole = aside.putBack(html)
  const all = [...problems, ...whole.problems.map((problem) => `${template.name}: ${problem}`)]
  return { subject: tidyText(view.subject), html: whole.html, text: template.text(view), problems: all }
}

async function toHtml(mjml: string, name: string): Promise<{ html: string; problems: string[] }> {
  const { default: mjml2html } = await import('mjml') // 0.7 s: only who renders pays for it
  try {
    const { html, errors } = await mjml2html(mjml, { ignoreIncludes: true, validationLevel: 'soft', fonts: {} })
    return { html: withMain(withoutIndents(html)), problems: errors.map((error) => toProblem(error, name)) }
  } catch (error) {
    return { html: '', problems: [`${name}: ${messageOf(error)}`] }
  }
}

/** MJML counts the lines of what it was given, which is the filled template. */
function toProblem(
  { line, tagName, message }: { line: number; tagName: string; message: string },
  name: string,
): string {
  return `${name}: <${tagName}> in line ${line} of the filled template: ${message}`
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
