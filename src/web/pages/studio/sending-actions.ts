import { type Context, Hono } from 'hono'
import { resumeAllSending, stopAllSending } from '../../../deliveries/sending-stop.ts'
import { AppError } from '../../../errors.ts'
import { lastSendingStop } from '../../../store/deliveries/sending-stop.ts'
import { requireOwnForm } from '../../csrf.ts'
import { type Env, readForm, staffOf, type Web } from '../../response.ts'
import { urls } from '../../urls.ts'
import { readConfirmedReason } from './edition-actions.ts'

/** Stops and resumes all sending. Both redirect to the studio, which says what happened. */
export function sendingActions(web: Web): Hono<Env> {
  const { app } = web
  return new Hono<Env>()
    .post(urls.sendingStop, requireOwnForm(web), async (context) => {
      const reason = readConfirmedReason(await readForm(context), 'please tick the box: this stops every newsletter')
      const who = staffOf(context)
      await ignoreIfDone(stopAllSending(app, { who, reason }), async () => {
        const sendingStop = await lastSendingStop(app.db)
        return sendingStop?.releasedAt === null && sendingStop.who === who && sendingStop.reason === reason
      })
      return await redirectToStudio(web, context, 'stopped')
    })
    .post(urls.sendingResumption, requireOwnForm(web), async (context) => {
      const who = staffOf(context)
      const { seen } = await readForm(context)
      await ignoreIfDone(
        resumeAllSending(app, who, seen ?? ''),
        async () => (await lastSendingStop(app.db))?.releasedBy === who,
      )
      return await redirectToStudio(web, context, 'resumed')
    })
}

/** Ignores a conflict if the same person already did this, as after a second press of the button. */
async function ignoreIfDone(work: Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'conflict' || !(await isDone())) throw error
  }
}

async function redirectToStudio(
  { app, base }: Web,
  context: Context<Env>,
  done: 'stopped' | 'resumed',
): Promise<Response> {
  const sendingStop = await lastSendingStop(app.db)
  return context.redirect(`${base}${urls.studio}?sending=${done}-${sendingStop?.id ?? ''}`, 303)
}

/** One sentence about who just stopped or resumed all sending, by the store; empty if no one did. */
export async function sendingDoneText({ app }: Web, context: Context<Env>): Promise<string[]> {
  const sendingStop = await lastSendingStop(app.db)
  if (!sendingStop) return []
  const name = (who: string) => (who === context.var.session?.staff ? 'You' : who)
  const doneParam = context.req.query('sending')
  if (doneParam === `stopped-${sendingStop.id}` && sendingStop.releasedAt === null)
    return [`${name(sendingStop.who)} stopped all sending.`]
  if (doneParam !== `resumed-${sendingStop.id}` || sendingStop.releasedBy === null) return []
  return [`${name(sendingStop.releasedBy)} resumed all sending. Editions continue where they stopped.`]
}
