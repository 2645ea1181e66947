import { type Config, envelopeSender } from '../config/config.ts'
import type { Digest } from '../editions/digest.ts'
import type { Render } from '../editions/edition.ts'
import { releaseReaders } from '../feeds/parse/reader-pool.ts'
import type { MessageHead } from '../mail/mime.ts'
import { RenderThread } from './render-thread.ts'

const thread = new RenderThread()

/** The only renderer, for preview, test and sending: draft → view → Handlebars → MJML, in a worker thread. */
export function draftRenderer(config: Config): Render {
  const { publication, web, templates } = config
  return async (draft) => {
    releaseReaders() // a small server does not have the memory for both
    const head = JSON.stringify(messageHead(config, draft.digest, draft.edition.number))
    return { head, ...(await thread.render({ draft, publishing: { publication, web }, templates })) }
  }
}

function messageHead(config: Config, digest: Digest, number: number): MessageHead {
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
