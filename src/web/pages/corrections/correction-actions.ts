import { type Context, Hono } from 'hono'
import {
  acceptCorrection,
  dismissCorrection,
  reopenCorrection,
  withdrawCorrection,
} from '../../../editions/corrections/decide.ts'
import { dismissMinorCorrections } from '../../../editions/corrections/minor.ts'
import { AppError } from '../../../errors.ts'
import { correctionById } from '../../../store/corrections/corrections.ts'
import { requireOwnForm } from '../../csrf.ts'
import { sentence, statusOf } from '../../failure.ts'
import { type Env, type Fields, idParam, readForm, staffOf, type Web } from '../../response.ts'
import { pathTo, urls } from '../../urls.ts'
import { showStudio } from '../studio/home.ts'

/** An editor's decisions about corrections. Each redirects to the page that it came from. */
export function correctionActions(web: Web): Hono<Env> {
  return new Hono<Env>()
    .post(urls.correctionDecision, requireOwnForm(web), (context) => decide(web, context))
    .post(urls.minorCorrections, requireOwnForm(web), (context) => dismissMinor(web, context))
}

/** Dismisses the other changes that the page counted. */
async function dismissMinor(web: Web, context: Context<Env>): Promise<Response> {
  const { proposedBy = '' } = await readForm(context)
  await dismissMinorCorrections(web.app, staffOf(context), proposedBy)
  return context.redirect(`${web.base}${urls.studio}#corrections`, 303)
}

async function decide(web: Web, context: Context<Env>): Promise<Response> {
  const id = idParam(context, 'correction')
  const staff = staffOf(context)
  const typed = await readForm(context)
  try {
    await applyDecision(web, id, staff, typed)
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'missing') throw error
    if (error.code !== 'conflict' || !(await isAlreadyDecided(web, id, staff, typed))) {
      const refused = { id, message: sentence(error.message), hint: error.hint ?? '', words: typed.words }
      return await showStudio(web, context, { refused }, statusOf(error))
    }
  }
  const correction = typed.from === 'edition' ? await correctionById(web.app.db, id) : undefined
  const page = correction ? pathTo(urls.studioEdition, correction.editionId) : urls.studio
  return context.redirect(`${web.base}${page}?corrected=${encodeURIComponent(id)}#corrections`, 303)
}

/** Whether the same person already made this decision, as after a second press of the button. */
async function isAlreadyDecided(
  { app }: Web,
  id: string,
  staff: string,
  { decision, words }: Fields,
): Promise<boolean> {
  const correction = await correctionById(app.db, id)
  if (decision === 'reopen') return correction?.status === 'proposed'
  if (correction?.decidedBy !== staff) return false
  if (decision === 'dismiss') return correction.status === 'dismissed'
  return decision === 'accept' && correction.status === 'accepted' && correction.words === words
}

async function applyDecision(
  { app }: Web,
  id: string,
  staff: string,
  { decision, words = '', seen = '' }: Fields,
): Promise<void> {
  if (decision === 'accept') return await acceptCorrection(app, id, staff, words, { seen })
  if (decision === 'dismiss') return await dismissCorrection(app, id, staff, { seen })
  if (decision === 'withdraw') return await withdrawCorrection(app, id, staff, words, { seen })
  if (decision === 'reopen') return await reopenCorrection(app, id, staff, { seen })
  throw new AppError('invalid', 'please accept or dismiss the correction')
}
