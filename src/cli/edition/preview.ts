import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type App, requireDigest, throwIfRejected } from '../../app.ts'
import { describeReason, reasonWithText } from '../../describe/describe.ts'
import { editionName } from '../../editions/edition.ts'
import { inlinePictures } from '../../editions/pictures/inline-pictures.ts'
import { withOwnPictures } from '../../editions/pictures/own-pictures.ts'
import { renderDraft } from '../../editions/render-draft.ts'
import { seal } from '../../editions/seal.ts'
import { htmlBytes, sizeWarning } from '../../editions/size.ts'
import { AppError, messageOf } from '../../errors.ts'
import { placeholderKeys } from '../../mail/keys.ts'
import { compileMessage, rawMessage } from '../../mail/mime.ts'
import { toMessageTemplate, withoutKey } from '../../messages/message-template.ts'
import { dryRunEdition } from '../../pipeline/dry-run.ts'
import { unsentStatuses } from '../../store/edition-status.ts'
import { editionsByStatus } from '../../store/editions/editions.ts'
import { variantsOf } from '../../store/editions/variants.ts'
import { warnOfQuarantinedFeeds } from '../feeds/quarantine-warnings.ts'
import { warnOfFailedFeeds } from '../run.ts'
import { print, printJson, printStderr, sanitizeLine } from '../terminal/output.ts'
import { findEdition } from './find-edition.ts'

type JsonOption = { json?: boolean }

/** Previews an edition: for a digest its unsent one, else the one that a run would make now. */
export async function previewEdition(app: App, name: string, options: JsonOption & { out: string }): Promise<void> {
  const { letter: message, title, thin } = await messageToPreview(app, name)
  const { slot, html, text } = message
  const sample = { email: message.replyTo, name: '', keys: placeholderKeys, date: app.clock.now() }
  const files = {
    'index.html': await inlinePictures(app.db, app.config.web.url, withoutKey(html, slot)), // readable without our server
    'index.txt': withoutKey(text, slot),
    'message.eml': rawMessage(compileMessage(message)(sample)),
  }
  try {
    await mkdir(options.out, { recursive: true })
    for (const [file, content] of Object.entries(files)) await writeFile(join(options.out, file), content)
  } catch (error) {
    throw new AppError('unavailable', `${options.out} cannot be written: ${messageOf(error)}`, {
      hint: 'Name a folder that this user may write to, such as --out /tmp/preview.',
    })
  }
  const paths = Object.keys(files).map((file) => join(options.out, file))
  if (options.json)
    printJson({
      edition: title,
      subject: message.subject,
      files: paths,
      bytesHtml: htmlBytes(message),
      thin: thin && reasonWithText(thin),
    })
  else
    print([`${title}: ${sanitizeLine(message.subject)}`, ...paths, ...(thin ? [describeReason(thin)] : [])].join('\n'))
  const warning = sizeWarning(htmlBytes(message))
  if (warning) printStderr(`warning: ${warning}`)
}

async function messageToPreview(app: App, name: string) {
  throwIfRejected(app, name) // what would be sent now is unknown
  const digest = app.digests.find((one) => one.name === name)
  const [open] = digest ? await editionsByStatus(app.db, unsentStatuses, digest.name) : [await findEdition(app, name)]
  if (digest && !open) {
    const { draft, thin = null, feeds } = await dryRunEdition(app, digest)
    warnOfFailedFeeds(feeds)
    await warnOfQuarantinedFeeds(app, digest)
    const pictured = await withOwnPictures(app.pictures, draft)
    const { head, subject, html, text } = await renderDraft(app.render, pictured)
    return {
      title: `${digest.name}, as it would be now`,
      letter: toMessageTemplate(app.secret, draft.edition, { head, subject, html, text, slot: draft.slot }),
      thin,
    }
  }
  if (!open) throw new AppError('missing', `there is no edition ${name}`)
  if (open.status === 'composed') await seal(app, open.id, requireDigest(app, open.digest))
  const [variant] = await variantsOf(app.db, open.id)
  if (!variant)
    throw new AppError(
      'missing',
      `${editionName(open)} was never sealed: ${open.reason ? describeReason(open.reason) : open.status}`,
    )
  return { title: editionName(open), letter: toMessageTemplate(app.secret, open, variant), thin: open.reason }
}
