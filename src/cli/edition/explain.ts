import type { App } from '../../app.ts'
import { explain } from '../../editions/explain.ts'
import { AppError } from '../../errors.ts'
import { rejectionText } from '../../feeds/rejection.ts'
import { findRejections } from '../../store/feeds/rejections.ts'
import { print, printJson, sanitizeLine } from '../terminal/output.ts'
import { withReasonText } from './reason-text.ts'

type JsonOption = { json?: boolean }

/** Prints which edition has an article or a letter, or why none has it; AppError `missing` if nothing matches. */
export async function explainArticle({ db, digests }: App, what: string, options: JsonOption): Promise<void> {
  const answers = await explain(db, digests, what)
  const rejections = await findRejections(db, what)
  if (answers.length + rejections.length === 0) {
    throw new AppError('missing', `no article matches “${what}”`, {
      hint: 'lastword feeds refresh fetches the feeds now; lastword feeds test shows what one holds; lastword letters list shows letters.',
    })
  }
  const isOne = new Set(answers.map(({ title }) => title)).size === 1
  for (const answer of answers) {
    const about = isOne ? '' : `“${sanitizeLine(answer.title)}”  `
    if (options.json) printJson(answer)
    else
      print(
        [
          `${about}${answer.digest ?? 'no digest'}: ${answer.answer}`,
          ...[...answer.edits, ...answer.corrections].map((one) => `  ${sanitizeLine(one)}`),
        ].join('\n'),
      )
  }
  for (const { feedId: _feed, entry: _entry, ...rejection } of rejections) {
    const { feedUrl, firstAt, lastAt } = rejection
    if (options.json) printJson(withReasonText(rejection))
    else
      print(
        `rejected: ${sanitizeLine(rejectionText(rejection))}\n  in ${feedUrl}, first on ${firstAt}, last on ${lastAt}`,
      )
  }
}
