import { type Config, envelopeSender } from '../config.ts'
import type { Digest } from '../editions/digest.ts'
import type { Render } from '../editions/edition.ts'
import { toView } from './edition-view.ts'
import type { LetterHead } from './mime.ts'
import { renderEdition } from './render.ts'
import { openTemplate, type Template } from './template.ts'

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
    return { head, preheader: view.preheader, ...rendered }
  }
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
