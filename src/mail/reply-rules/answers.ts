import { replyRules } from './reply-rules.ts'
import { readable } from './reply-text.ts'

/** What a refusal (5xx) is about, in one word. */
export type Cause =
  | 'no-such-mailbox'
  | 'no-such-domain'
  | 'mailbox-disabled'
  | 'address-refused'
  | 'mailbox-full'
  | 'sender-refused'
  | 'blocklist'
  | 'spam'
  | 'authentication'
  | 'policy'
  | 'limit'
  | 'size'
  | 'server-fault'
  | 'unclear'

type Meaning = {
  /** The address: the person is refused. Us: nobody is, and it is tried again. */
  about: 'address' | 'us' | 'nobody'
  /** Which refusals of an address last: those of the `second time` when the next edition is refused too. */
  suppresses: 'at once' | 'second time' | 'never'
  words: string
  /** What an operator should change, where one setting answers it. */
  advice?: string
}

export const causes: Record<Cause, Meaning> = {
  'no-such-mailbox': { about: 'address', suppresses: 'at once', words: 'there is no such mailbox' },
  // A domain whose owner forgot to pay, or whose DNS is broken today, is often back next week.
  'no-such-domain': { about: 'address', suppresses: 'second time', words: 'the domain takes no mail' },
  'mailbox-disabled': { about: 'address', suppresses: 'second time', words: 'the mailbox is closed' },
  'address-refused': { about: 'address', suppresses: 'second time', words: 'the address is refused' },
  'mailbox-full': { about: 'address', suppresses: 'never', words: 'the mailbox is full' },
  'sender-refused': {
    about: 'us',
    suppresses: 'never',
    words: 'our sender address is refused',
    advice:
      'Set relay.personalReturnPath: false, so that all messages have one envelope sender, and relay.returnPath to an address that the relay lets this account send from.',
  },
  blocklist: { about: 'us', suppresses: 'never', words: 'our server is on a blocklist, or has a bad name' },
  spam: { about: 'us', suppresses: 'never', words: 'the message is taken for spam' },
  authentication: { about: 'us', suppresses: 'never', words: 'we, or our message, are not authenticated' },
  policy: { about: 'us', suppresses: 'never', words: 'a policy is against us' },
  limit: { about: 'us', suppresses: 'never', words: 'we have sent as much as we may' },
  size: { about: 'us', suppresses: 'never', words: 'the message is too large' },
  'server-fault': { about: 'us', suppresses: 'never', words: 'the server that refuses has a fault of its own' },
  unclear: { about: 'nobody', suppresses: 'never', words: 'it does not say why' },
}

/** What a 5xx answer is about, by the words and codes of the server; `unclear` for what no rule knows. */
export function causeOf(reply: string): Cause {
  if (!/^5\d\d\b/.test(reply)) return 'unclear'
  const words = readable(reply).replace(/[^\s<>():;]+@[^\s<>():;]+/g, '@') // an address may hold any word: spam@example.org
  return replyRules.find(({ match }) => match.test(words))?.cause ?? 'unclear'
}
// $ lastword relay judge "550 5.1.1 <mira@example.org>: Recipient address rejected: User unknown"

/** Which setting answers a 5xx, for the operator; undefined where none does. */
export function adviceFor(reply: string): string | undefined {
  return causes[causeOf(reply)].advice
}
