import { type Config, envelopeSender } from '../config.ts'
import type { Digest } from '../editions/digest.ts'
import type { Render } from '../editions/edition.ts'
import { toView } from './edition-view.ts'
import type { LetterHead } from './mime.ts'
import { renderEdition } from './render.ts'
import { openTemplate, type Template } from './template.ts'
import { tidyText } from './tidy.ts'
import type { EditionView } from './view.ts'

/** The one renderer, for preview, test and post alike: draft → view → Handlebars → MJML. */
export function draftRenderer(config: Config): Render {
  const templates = new Map<string, Template>()
  return async (draft) => {
    const { template: name } = draft.digest
    const template = templates.get(name) ?? openTemplate(config.templates, name)
    templates.set(name, template)
    const view = toView(draft, config)
    const head = JSON.stringify(headOf(config, draft.digest, draft.edition.number))
    const rendered = await renderEdition(view, template)
    const problems = [...rendered.problems, ...notShown(view, rendered.text)]
    return { head, preheader: view.preheader, ...rendered, problems }
  }
}

/** A template that somebody wrote before there were corrections, or letters, would lose them in silence. */
function notShown({ corrections, sections }: EditionView, text: string): string[] {
  const flat = text.replace(/\s+/g, ' ')
  const isLost = (words: string) => !flat.includes(tidyText(words))
  const letters = sections.flatMap(({ letters }) => (letters ? [letters.first, ...letters.more] : []))
  return [
    ...(corrections.some(({ words }) => isLost(words))
      ? ['it does not show the corrections: it needs {{> corrections}} before the footer']
      : []),
    ...(letters.some(({ headline, paragraphs, name }) => [headline, ...paragraphs, name].some(isLost))
      ? ['it does not print the letters whole: its part have-your-say needs {{> letter}} for each']
      : []),
  ]
}

function headOf(config: Config, digest: Digest, number: number): LetterHead {
  const { publication, web } = config
  const { address: returnPath, isPersonal: personalReturnPath } = envelopeSender(config)
  return {
    number,
    digest: { name: digest.name, title: digest.title },
    publication: { name: publication.name, site: publication.site },
    webUrl: web.url,
    from: digest.from,
    replyTo: digest.replyTo ?? publication.contact,
    returnPath,
    personalReturnPath,
  }
}
