import { startRelay, type TestRelay } from '../smtp/relay.ts'

const size = 60_000

/** Answers of tens of kilobytes that are hard to fold, to match or to read. */
export const nastyAnswers = [
  `250 ${' '.repeat(size)}taken`,
  `450 4.2.0 ${' '.repeat(size)}x`,
  `451-4.7.1 ${' \t'.repeat(size / 2)}x\r\n451 end`,
  `451 ${'try again in '.repeat(size / 13)}`,
  `451 ${'greylisted 1 '.repeat(size / 13)}`,
  `452 ${'mailbox '.repeat(size / 8)}`,
  `452 ${'server host ip '.repeat(size / 15)}`,
  `450 \0\u202e${'4.7.1.'.repeat(size / 6)}`,
  `250 taken\r\n${'250 nobody asked\r\n'.repeat(1_000_000)}250 end`, // on a connection that is idle by then
]

/** A relay that takes every message and answers to it with one of the nasty answers, in turns. */
export function startHostileRelay(): Promise<TestRelay> {
  let messages = 0
  return startRelay((stage) => (stage === 'dot' ? nastyAnswers[messages++ % nastyAnswers.length] : undefined))
}
