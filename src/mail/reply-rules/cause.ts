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
  /** For an operator, as the end of a sentence. */
  message: string
  /** What an operator should change, if one setting solves it. */
  advice?: string
}

/** The meaning of each cause. */
export const causes: Record<Cause, Meaning> = {
  'no-such-mailbox': { about: 'address', suppresses: 'at once', message: 'there is no such mailbox' },
  // A domain whose owner forgot to pay, or whose DNS is broken today, is often back next week.
  'no-such-domain': { about: 'address', suppresses: 'second time', message: 'the domain takes no mail' },
  'mailbox-disabled': { about: 'address', suppresses: 'second time', message: 'the mailbox is closed' },
  'address-refused': { about: 'address', suppresses: 'second time', message: 'the address is refused' },
  'mailbox-full': { about: 'address', suppresses: 'never', message: 'the mailbox is full' },
  'sender-refused': {
    about: 'us',
    suppresses: 'never',
    message: 'our sender address is refused',
    advice:
      'Set relay.personalReturnPath: false, so that all messages have one envelope sender, and relay.returnPath to an address that the relay lets this account send from.',
  },
  blocklist: { about: 'us', suppresses: 'never', message: 'our server is on a blocklist, or has a bad reputation' },
  spam: { about: 'us', suppresses: 'never', message: 'the message is taken for spam' },
  authentication: { about: 'us', suppresses: 'never', message: 'we, or our message, are not authenticated' },
  policy: { about: 'us', suppresses: 'never', message: 'a policy is against us' },
  limit: { about: 'us', suppresses: 'never', message: 'we have sent as much as we may' },
  size: { about: 'us', suppresses: 'never', message: 'the message is too large' },
  'server-fault': { about: 'us', suppresses: 'never', message: 'the server that refuses has an internal error' },
  unclear: { about: 'nobody', suppresses: 'never', message: 'it does not say why' },
}
