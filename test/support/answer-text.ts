import { describeReason } from '../../src/describe/describe.ts'
import { answerOf, type SendResult } from '../../src/mail/smtp/result.ts'

/** The relay's reply, or our reason as text where it gave none. */
export function answerText(result: SendResult): string {
  const answer = answerOf(result)
  return typeof answer === 'string' ? answer : describeReason(answer)
}
