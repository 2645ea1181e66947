import { type App, isRejected } from '../../app.ts'
import { AppError } from '../../errors.ts'
import { editionById, editionByNumber, latestEditions } from '../../store/editions/editions.ts'
import type { EditionRow } from '../../store/schema.ts'

/** Finds an edition by id, `digest:number`, or digest (its newest). AppError `missing` if there is none. */
export async function findEdition(app: Pick<App, 'db' | 'digests' | 'rejected'>, name: string): Promise<EditionRow> {
  const { db, digests } = app
  const [digest = '', number] = name.split(':')
  const found =
    (await editionById(db, name)) ??
    (number === undefined ? undefined : await editionByNumber(db, digest, Number(number))) ??
    (digests.some((one) => one.name === name) || isRejected(app, name)
      ? (await latestEditions(db, { digest: name, limit: 1 }))[0]
      : undefined)
  if (found) return found
  throw new AppError('missing', `there is no edition ${name}`, { hint: 'lastword edition list prints them all.' })
}
