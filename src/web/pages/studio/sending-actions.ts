import { type Context, Hono } from 'hono'
import { brakeOff, brakeOn } from '../../../deliveries/brake.ts'
import { AppError } from '../../../errors.ts'
import { lastBrake } from '../../../store/deliveries/brake.ts'
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
      await ignoreIfDone(brakeOn(app, { who, reason }), async () => {
        const brake = await lastBrake(app.db)
        return brake?.releasedAt === null && brake.who === who && brake.reason === reason
      })
      return await redirectToStudio(web, context, 'stopped')
    })
    .post(urls.sendingResumption, requireOwnForm(web), async (context) => {
      const who = staffOf(context)
      const { seen } = await readForm(context)
      await ignoreIfDone(brakeOff(app, who, seen ?? ''), async () => (await lastBrake(app.db))?.releasedBy === who)
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
  const brake = await lastBrake(app.db)
  return context.redirect(`${base}${urls.studio}?sending=${done}-${brake?.id ?? ''}`, 303)
}

/** One sentence about who just stopped or resumed all sending, by the store; empty if no one did. */
export async function sendingDoneText({ app }: Web, context: Context<Env>): Promise<string[]> {
  const brake = await lastBrake(app.db)
  if (!brake) return []
  const name = (who: string) => (who === context.var.session?.staff ? 'You' : who)
  const doneParam = context.req.query('sending')
  if (doneParam === `stopped-${brake.id}` && brake.releasedAt === null)
    return [`${name(brake.who)} stopped all sending.`]
  if (doneParam !== `resumed-${brake.id}` || brake.releasedBy === null) return []
  return [`${name(brake.releasedBy)} resumed all sending. Editions continue where they stopped.`]
}
