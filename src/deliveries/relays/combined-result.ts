import type { SendResult } from '../../mail/smtp/result.ts'

/** A result that may change comes first: a later try decides more than a lasting refusal by another relay. */
const kindsInOrder: SendResult['kind'][] = ['unknown', 'deferred', 'cut', 'rejected', 'unsent', 'refused', 'unfit']

/** The result of a message that no relay accepted; the first result is that of the main relay, whose refusal decides. */
export function combinedResult(results: SendResult[]): SendResult {
  const [main] = results
  if (!main) return { kind: 'unsent', reply: '', reason: { code: 'no-relay' } }
  if (main.kind === 'refused') return main
  return kindsInOrder.flatMap((kind) => results.find((result) => result.kind === kind) ?? [])[0] ?? main
}
