import { type Context, Hono } from 'hono'
import { nameOfArticle, pullArticle, restoreArticle } from '../editions/pull.ts'
import { approve, cancel, hold, pause, resume } from '../editions/review.ts'
import { AppError } from '../errors.ts'
import { historyOf } from '../store/editions.ts'
import { checkId, type Env, editionIdOf, type Fields, readForm, type Web } from './answer.ts'
import { sentence, statusOf } from './failure.ts'
import { ownForm } from './session.ts'
import { type Act, showEdition } from './studio-edition.ts'
import { pathTo, urls } from './urls.ts'

/** What an editor decides about an edition. Each ends on the edition's page, which says what happened. */
export function editionActions(web: Web): Hono<Env> {
  const { app } = web
  return new Hono<Env>()
    .post(urls.approval, ownForm(web), (context) =>
      act(web, context, 'approve', (id, staff, { seal }) => approve(app, id, staff, seal)),
    )
    .post(urls.hold, ownForm(web), (context) =>
      act(web, context, 'hold', (id, staff, fields) => hold(app, id, staff, reasonIn(fields))),
    )
    .post(urls.cancellation, ownForm(web), (context) =>
      act(web, context, 'cancel', (id, staff, fields) =>
        cancel(app, id, staff, confirmedReasonIn(fields, unconfirmedEnd)),
      ),
    )
    .post(urls.pause, ownForm(web), (context) =>
      act(web, context, 'pause', (id, staff, fields) => pause(app, id, staff, reasonIn(fields))),
    )
    .post(urls.resumption, ownForm(web), (context) =>
      act(web, context, 'resume', (id, staff, { anyway }) => resume(app, id, staff, { anyway: anyway === 'yes' })),
    )
    .post(urls.pull, ownForm(web), (context) =>
      act(web, context, 'pull', async (_, who, fields) => {
        const reason = reasonIn(fields)
        await pullArticle(app, await nameOfArticle(app.db, checkId(fields.article, 'article')), { who, reason })
      }),
    )
    .post(urls.restoration, ownForm(web), (context) =>
      act(web, context, 'restore', async (_, who, { article }) =>
        restoreArticle(app, await nameOfArticle(app.db, checkId(article, 'article')), who),
      ),
    )
}

type Work = (id: string, staff: string, fields: Fields) => Promise<void>

async function act(web: Web, context: Context<Env>, name: Act, work: Work): Promise<Response> {
  const id = editionIdOf(context)
  const staff = context.var.session?.staff ?? ''
  const typed = await readForm(context)
  try {
    await work(id, staff, typed)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const refused = { act: name, message: sentence(error.message), hint: error.hint ?? '', typed }
    return await showEdition(web, context, refused, statusOf(error))
  }
  const done = (await historyOf(web.app.db, id)).findLast((entry) => entry.who === staff)
  return context.redirect(`${web.base}${pathTo(urls.studioEdition, id)}?done=${done?.id ?? ''}`, 303)
}

const longestReason = 500
const unconfirmedEnd = 'please tick the box: a cancelled edition cannot be brought back'

function reasonIn({ reason = '' }: Fields): string {
  if (reason === '') throw new AppError('invalid', 'please give a reason', { hint: 'It stays on record.' })
  return reason.slice(0, longestReason)
}

export function confirmedReasonIn(fields: Fields, unconfirmed: string): string {
  const reason = reasonIn(fields)
  if (fields.confirm === 'yes') return reason
  throw new AppError('invalid', unconfirmed)
}
