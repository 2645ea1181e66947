import type { Context } from 'hono'
import { rulesOf } from '../../../deliveries/limits/rules.ts'
import { whyWaiting } from '../../../deliveries/limits/why-waiting.ts'
import { describeReason, describeSentence } from '../../../describe/describe.ts'
import { editionName } from '../../../editions/edition.ts'
import { isSettingObstacle, obstaclesOf } from '../../../editions/review/approval-rules.ts'
import { checkRevision, parseRevision } from '../../../editions/review/revision.ts'
import { AppError } from '../../../errors.ts'
import { countChosen } from '../../../store/editions/choices.ts'
import { editionById } from '../../../store/editions/editions.ts'
import { statusOf } from '../../failure.ts'
import { articlesAndLetters, editionTitle, momentFormatter } from '../../format.ts'
import { type Env, editionIdParam, renderPage, staffOf, type Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { controlsOf } from './edition-controls.ts'
import { showEdition } from './edition-page.ts'
import { withSectionTitles } from './section-titles.ts'

/**
 * Asks to confirm an approval: subject, sender, number of people, time, and obstacles. If the edition is newer than `seen`,
 * the revision that the editor looked at, shows the edition's page instead.
 */
export async function showApproval(web: Web, context: Context<Env>, seen: string | undefined): Promise<Response> {
  const { app, base } = web
  const edition = await editionById(app.db, editionIdParam(context))
  if (!edition) throw new AppError('missing', 'there is no such edition')
  const controls = await controlsOf(web, edition)
  const staff = staffOf(context)
  try {
    if (seen !== undefined) await checkRevision(app.db, edition, parseRevision(seen))
    if (!controls.may.approve)
      throw new AppError(
        'conflict',
        `${editionName(edition)} is ${controls.status.word.toLowerCase()}: it can’t be approved`,
      )
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return await showEdition(web, context, { act: 'approve', error, typed: {}, staff }, statusOf(error))
  }
  const digest = app.digests.find(({ name }) => name === edition.digest)
  const waits = await whyWaiting(app, { ...edition, status: 'approved' }, rulesOf(app, edition.digest))
  const obstacles = await obstaclesOf(app, edition)
  const name = editionTitle(edition, digest)
  return renderPage(web, context, 'studio-approval', {
    title: `Approve ${name}?`,
    name,
    subject: edition.subject,
    from: digest ? `${digest.from.name} <${digest.from.address}>` : '',
    due: momentFormatter(digest?.zone)(edition.dueAt),
    holds: articlesAndLetters((await countChosen(app.db, [edition.id])).get(edition.id)),
    reason: edition.reason ? describeReason(withSectionTitles(edition.reason, digest)) : '',
    waits: waits.map(describeSentence),
    obstacles: obstacles.map(describeSentence),
    isBlocked: obstacles.some(isSettingObstacle),
    page: base + pathTo(urls.studioEdition, edition.id),
    ...controls,
  })
}
