import type { App } from '../../app.ts'
import { rulesOf } from '../../deliveries/limits/rules.ts'
import { whyWaiting } from '../../deliveries/limits/why-waiting.ts'
import { describeActor, describeEvent, describeReason, eventWithText, reasonWithText } from '../../describe/describe.ts'
import { statusText } from '../../editions/corrections/decide.ts'
import { editionName } from '../../editions/edition.ts'
import { listEdits } from '../../editions/edits/list-edits.ts'
import { sealFailure } from '../../editions/seal-failure.ts'
import { htmlBytes, sizeWarning } from '../../editions/size.ts'
import { possibleDuplicatesIn } from '../../editions/stories/possible-duplicates.ts'
import { retractedIn } from '../../store/articles/retractions.ts'
import { correctionsAbout, correctionsIn } from '../../store/corrections/corrections.ts'
import { countDeliveries } from '../../store/deliveries/deliveries.ts'
import { choicesOf } from '../../store/editions/choices.ts'
import { variantsOf, withdrawnVariants } from '../../store/editions/variants.ts'
import { editionEvents } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { EditionRow } from '../../store/schema.ts'
import { letterByline } from '../../web/format.ts'
import { correctionJson } from '../corrections.ts'
import { print, printJson, sanitizeLine } from '../terminal/output.ts'
import { editLine } from './edit.ts'
import { findEdition } from './find-edition.ts'
import { withReasonText } from './reason-text.ts'
import { deliveryCountsText } from './send-in-foreground.ts'

type JsonOption = { json?: boolean }

/** Prints an edition: its articles, why others were left out, its history. */
export async function showEdition(app: App, name: string, options: JsonOption): Promise<void> {
  await printEdition(app, await loadEdition(app, await findEdition(app, name)), options)
}

type LoadedEdition = Awaited<ReturnType<typeof loadEdition>>

async function loadEdition(app: App, edition: EditionRow) {
  const { db } = app
  const sendWaits = await whyWaiting(app, edition, rulesOf(app, edition.digest))
  const [choices, history, counts, corrections, prints] = await Promise.all([
    choicesOf(db, edition.id),
    editionEvents(db, edition.id),
    countDeliveries(db, edition.id),
    correctionsAbout(db, edition.id),
    correctionsIn(db, edition.id),
  ])
  const failure = sealFailure(edition, history)
  const waits = failure === undefined ? sendWaits : [{ code: 'seal-retried' as const, reason: failure }]
  const [variant] = await variantsOf(db, edition.id)
  const withdrawn = await withdrawnVariants(db, edition.id)
  const pulls = new Map((await retractedIn(db, edition.id)).map((pull) => [pull.itemId, pull]))
  const digest = app.digests.find((one) => one.name === edition.digest)
  const edits = await listEdits(db, edition, digest)
  const duplicates = await possibleDuplicatesIn(db, edition)
  return { edition, variant, withdrawn, pulls, duplicates, edits, waits, choices, history, counts, corrections, prints }
}

async function printEdition(app: App, loaded: LoadedEdition, options: JsonOption): Promise<void> {
  const { edition, variant, withdrawn, pulls, edits, waits, choices, history, counts, corrections, prints } = loaded
  const { duplicates } = loaded
  if (options.json) {
    const marked = choices.map((choice) => ({
      ...withReasonText(choice),
      retracted: pulls.get(choice.itemId)?.reason ?? null,
      possibleDuplicate: reasonOrNull(duplicates.get(choice.itemId)),
    }))
    const sha256 = variant?.sha256 ?? null
    const seals = { sha256, bytesHtml: variant ? htmlBytes(variant) : null, withdrawn }
    const listed = edits.map(({ edit, status }) => ({ ...edit, status }))
    return printJson({
      ...withReasonText(edition),
      ...seals,
      choices: marked,
      edits: listed,
      corrections: corrections.map(correctionJson),
      prints: prints.map(correctionJson),
      history: history.map(eventWithText),
      deliveries: counts,
      waits: waits.map(reasonWithText),
    })
  }
  print(
    `${editionName(edition)}: ${edition.status}${edition.reason ? ` (${describeReason(edition.reason)})` : ''}, due ${edition.dueAt}`,
  )
  if (variant)
    print(`subject: ${sanitizeLine(edition.subject)}\nrevision: ${edition.revision}\nSHA-256: ${variant.sha256}`)
  const warning = variant && sizeWarning(htmlBytes(variant))
  if (warning) print(`warning: ${warning}`)
  for (const { sha256, withdrawnAt } of withdrawn) print(`withdrawn on ${withdrawnAt}: SHA-256 ${sha256}`)
  printChoices(app, loaded)
  await printRecords(app, loaded)
}

function reasonOrNull(reason: Reason | undefined) {
  return reason ? reasonWithText(reason) : null
}

function printChoices(app: App, { edition, choices, pulls, duplicates }: LoadedEdition): void {
  for (const choice of inEmailOrder(choices, app.digests, edition.digest)) {
    const { itemId, section, position, title, reason } = choice
    const place = position === null ? '–' : `${section} ${position}`
    const pull = pulls.get(itemId)
    const duplicate = duplicates.get(itemId)
    const pulled = pull ? `  retracted by ${pull.who}: ${pull.reason}` : ''
    print(
      `  ${place}  ${sanitizeLine(title)}  (${sanitizeLine(letterPrefix(choice))}${sanitizeLine(describeReason(reason))})${sanitizeLine(pulled)}`,
    )
    if (duplicate) print(`     ${sanitizeLine(describeReason(duplicate))}`)
  }
}

async function printRecords({ db }: App, loaded: LoadedEdition): Promise<void> {
  const { edition, edits, prints, corrections, history, counts, waits } = loaded
  for (const edit of edits) print(`change ${editLine(edit)}`)
  for (const { said, words, number } of prints)
    print(`  prints a correction of edition ${number}, “${sanitizeLine(said)}”: ${sanitizeLine(words ?? '')}`)
  for (const one of corrections)
    print(
      `  correction ${one.id} of “${sanitizeLine(one.said)}”: ${sanitizeLine(one.words ?? one.found)} (${sanitizeLine(statusText(one))})`,
    )
  for (const event of history)
    print(sanitizeLine(`${event.at}  ${describeActor(event.actor)}: ${describeEvent(event)}`))
  print(await deliveryCountsText(db, edition, counts))
  for (const wait of waits) print(`waits: ${sanitizeLine(describeReason(wait))}`)
}

function letterPrefix({ kind, author, place }: ChoiceView): string {
  return kind === 'letter' ? `${letterByline(author, place)}; ` : ''
}

type ChoiceView = Awaited<ReturnType<typeof choicesOf>>[number]

/** In the order of the email; articles that were left out come last. */
function inEmailOrder(choices: ChoiceView[], digests: App['digests'], digest: string): ChoiceView[] {
  const names = digests.find((one) => one.name === digest)?.sections.map((section) => section.name) ?? []
  const place = ({ section, position }: ChoiceView) => (position === null ? names.length + 1 : names.indexOf(section))
  return choices.toSorted((a, b) => place(a) - place(b))
}
