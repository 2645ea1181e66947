import { AppError, messageOf } from '../errors.ts'
import { toView } from './edition-view.ts'
import { renderEdition } from './render.ts'
import type { RenderAnswer, RenderTask } from './render-thread.ts'
import { openTemplate, type Template } from './template.ts'
import { templateVersion } from './template-version.ts'

type CachedTemplate = { version: string; template: Template }

/** By folder and name. A template whose files have changed is read again. */
const templateCache = new Map<string, CachedTemplate>()

function templateOf(folder: string, name: string): Template {
  const key = `${folder}\n${name}`
  const version = templateVersion(folder)
  const known = templateCache.get(key)
  if (known?.version === version) return known.template
  const template = openTemplate(folder, name)
  templateCache.set(key, { version, template })
  return template
}

/** Renders an edition in the calling thread. Never rejects. */
export async function runRenderTask({ draft, publishing, templates }: RenderTask): Promise<RenderAnswer> {
  try {
    const template = templateOf(templates, draft.digest.template)
    const view = toView(draft, publishing)
    return { rendered: { preheader: view.preheader, ...(await renderEdition(view, template)) } }
  } catch (error) {
    if (!(error instanceof AppError)) return { broken: (error instanceof Error && error.stack) || messageOf(error) }
    const { code, message, hint } = error
    return { refused: { code, message, hint } }
  }
}
