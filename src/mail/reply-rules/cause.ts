/** The cause of a refusal (5xx). */
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

export type Meaning = {
  /** `address`: the person is refused. `us`: the message is retried. */
  about: 'address' | 'us' | 'nobody'
  /** Whether the refusal suppresses the address; `second time`: if the next edition is refused too. */
  suppresses: 'at once' | 'second time' | 'never'
  /** What an operator should change, if one setting solves it. */
  advice?: string
}

/** The meaning of each cause. */
export const causes: Record<Cause, Meaning> = {
  'no-such-mailbox': { about: 'address', suppresses: 'at once' },
  // A domain whose owner forgot to pay, or whose DNS is broken today, is often back next week.
  'no-such-domain': { about: 'address', suppresses: 'second time' },
  'mailbox-disabled': { about: 'address', suppresses: 'second time' },
  'address-refused': { about: 'address', suppresses: 'second time' },
  'mailbox-full': { about: 'address', suppresses: 'never' },
  'sender-refused': {
    about: 'us',
    suppresses: 'never',
    advice:
      'Set relay.personalReturnPath: false, so that all messages have one envelope sender, and relay.returnPath to an address that the relay lets this account send from.',
  },
  blocklist: { about: 'us', suppresses: 'never' },
  spam: { about: 'us', suppresses: 'never' },
  authentication: { about: 'us', suppresses: 'never' },
  policy: { about: 'us', suppresses: 'never' },
  limit: { about: 'us', suppresses: 'never' },
  size: { about: 'us', suppresses: 'never' },
  'server-fault': { about: 'us', suppresses: 'never' },
  unclear: { about: 'nobody', suppresses: 'never' },
}
