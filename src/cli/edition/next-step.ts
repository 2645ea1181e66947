import type { App } from '../../app.ts'
import { retractedIn } from '../../store/articles/retractions.ts'
import { countChosen } from '../../store/editions/choices.ts'
import type { EditionRow } from '../../store/schema.ts'

/** The commands that a person can use for an edition that waits for a decision. */
export async function nextStep({ db }: Pick<App, 'db'>, edition: EditionRow): Promise<string> {
  const cancel = `lastword edition cancel ${edition.id}`
  if (edition.status !== 'paused') {
    const articles = (await countChosen(db, [edition.id])).get(edition.id)?.article ?? 0
    if (articles > 0) return `Decide about it first: lastword edition approve ${edition.id}, or ${cancel}.`
    return `It has no articles. Cancel it with ${cancel}, or send it anyway with lastword edition approve ${edition.id} --anyway.`
  }
  const pulled = await retractedIn(db, edition.id)
  const resume = `lastword edition resume ${edition.id}`
  if (pulled.length === 0) return `Sending is paused. Continue it with ${resume}, or cancel it with ${cancel}.`
  const titles = pulled.map(({ title }) => `“${title}”`).join(', ')
  return `Sending is paused, and the edition holds ${titles}, which was retracted. Cancel it with ${cancel}, or send it to the others anyway with ${resume} --anyway.`
}
