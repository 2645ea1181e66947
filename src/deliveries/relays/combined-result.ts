import type { SendResult } from '../../mail/smtp/result.ts'

/** The result that allows most comes first: a temporary one counts more than a lasting one of another relay. */
const kindsInOrder: SendResult['kind'][] = ['unknown', 'deferred', 'cut', 'rejected', 'refused', 'unsent', 'unfit']

/** The result of a message that no relay accepted; the first result is that of the main relay, whose refusal decides. */
export function combinedResult(results: SendResult[]): SendResult {
  const [main] = results
  if (!main) return { kind: 'unsent', reply: 'there is no relay' }
  if (main.kind === 'refused') return main
  return kindsInOrder.flatMap((kind) => results.find((result) => result.kind === kind) ?? [])[0] ?? main
}
