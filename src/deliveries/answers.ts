/** What a refusal (5xx) is about, in one word. */
export type Cause =
  | 'no-such-mailbox'
  | 'no-such-domain'
  | 'mailbox-disabled'
  | 'address-refused'
  | 'mailbox-full'
  | 'blocklist'
  | 'spam'
  | 'authentication'
  | 'policy'
  | 'limit'
  | 'size'
  | 'unclear'

/**
 * About the address: the person is refused. About us: nobody is, and it is tried again. `suppresses` says which refusals
 * of an address last: `at once`; the `second time`, when the next edition is refused too; or `never`.
 */
export const causes: Record<
  Cause,
  { about: 'address' | 'us' | 'nobody'; suppresses: 'at once' | 'second time' | 'never'; words: string }
> = {
  'no-such-mailbox': { about: 'address', suppresses: 'at once', words: 'there is no such mailbox' },
  // A domain whose owner forgot to pay, or whose DNS is broken today, is often back next week.
  'no-such-domain': { about: 'address', suppresses: 'second time', words: 'the domain takes no mail' },
  'mailbox-disabled': { about: 'address', suppresses: 'second time', words: 'the mailbox is closed' },
  'address-refused': { about: 'address', suppresses: 'second time', words: 'the address is refused' },
  'mailbox-full': { about: 'address', suppresses: 'never', words: 'the mailbox is full' },
  blocklist: { about: 'us', suppresses: 'never', words: 'our server is on a blocklist, or has a bad name' },
  spam: { about: 'us', suppresses: 'never', words: 'the message is taken for spam' },
  authentication: { about: 'us', suppresses: 'never', words: 'we, or our message, are not authenticated' },
  policy: { about: 'us', suppresses: 'never', words: 'a policy is against us' },
  limit: { about: 'us', suppresses: 'never', words: 'we have sent as much as we may' },
  size: { about: 'us', suppresses: 'never', words: 'the message is too large' },
  unclear: { about: 'nobody', suppresses: 'never', words: 'it does not say why' },
}

type AnswerRule = { match: RegExp; cause: Cause }

/** Matches a status code such as `5\\.1\\.1` (RFC 3463), also as `(#5.1.1)`, and never as a part of an IP address. */
export function status(codes: string): RegExp {
  return new RegExp(`(?<![\\d.])(?:${codes})(?![\\d.]*\\d)`)
}

/** The first that matches decides. On the line above each: what a server really says. */
export const answerRules: AnswerRule[] = [
  // ── About us, whatever code it bears ──
  // 550 5.1.1 <bounces@magazine.example>: unauthorized sender                       (iCloud's private relay)
  // 550 5.1.0 <bounces@magazine.example>: Sender address rejected: User unknown      (Postfix)
  // 554 Message rejected: Email address is not verified.                             (Amazon SES)
  // 550 The from address does not match a verified Sender Identity.                  (SendGrid)
  {
    match:
      /unauthori[sz]ed sender|sender (address )?(was )?(rejected|denied|refused|verify)|(not|n't) (match )?(a )?verified/i,
    cause: 'policy',
  },
  // 553 5.1.8 <bounces@magazine.example>... Domain of sender address does not exist   (sendmail)
  { match: status('5\\.1\\.(7|8)'), cause: 'policy' },
  // 550 5.4.5 Daily user sending limit exceeded.                                     (Gmail's relay)
  // 550 Domain magazine.example has exceeded the max emails per hour (100/100)       (Exim under cPanel)
  {
    match: /\b(daily|hourly|sending|outgoing|outbound)\b.{0,30}\b(limit|quota)|max(imum)? (defers|emails) (and|per)\b/i,
    cause: 'limit',
  },
  // 550 5.7.1 Sending from your account has been suspended
  {
    match: /\b(your|sender'?s?|sending) (\w+ )?(account|domain|service)\b.{0,30}(suspend|disabled|blocked|paused)/i,
    cause: 'policy',
  },
  // 554 5.7.1 <mira@example.org>: Relay access denied                                (Postfix)
  // 550 relay not permitted                                                          (Exim)
  // 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)            (qmail)
  {
    match:
      /\brelay(ing)?\b.{0,20}\b(denied|prohibited|not (permitted|allowed)|rejected)|unable to relay|allowed rcpthosts/i,
    cause: 'policy',
  },
  // 530 5.7.0 Must issue a STARTTLS command first · 530 5.7.1 Authentication required
  // 535 5.7.8 Authentication credentials invalid
  { match: /^53[0458]\b|authentication (is )?required|not authenticated|unauthenticated/i, cause: 'authentication' },
  // 550 Unable to find your reverse DNS · 550 5.7.1 Client host rejected: cannot find your reverse hostname (Postfix)
  // 550 5.7.1 <mail.example.org>: Helo command rejected: Host not found
  {
    match: /\bhelo\b|client host rejected|reverse (dns|hostname|host)|\bPTR\b|your host is not allowed/i,
    cause: 'policy',
  },
  // 550-The mail server could not deliver mail to mira@example.org. The account or domain may not exist, they may be
  // 550 blacklisted, or missing the proper dns entries.                              (Exim under cPanel: it does not know)
  { match: /account.{0,8}\bor domain may not exist/i, cause: 'address-refused' },
  // 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org   (Postfix)
  // 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. … part of their network is on our block list (S3150)
  // 554 5.7.1 Your access to this mail system has been rejected due to the sending MTA's poor reputation
  // 550 5.7.606 Access denied, banned sending IP [192.0.2.1]
  // 554 IP=192.0.2.1 - None/bad reputation.                                          (t-online.de)
  {
    match:
      /\b(block|black|deny)[ -]?list(ed|s)?\b|\bRBL\b|DNSBL|spamhaus|spamcop|blocked using|\breputation\b|banned sen/i,
    cause: 'blocklist',
  },
  // 550 5.7.26 This mail has been blocked because the sender is unauthenticated. … SPF [magazine.example] did not pass
  // 550 5.7.509 Access denied, sending domain magazine.example does not pass DMARC verification
  // 5.7.20 to 5.7.26: RFC 7372, RFC 8601 · 5.7.8, 5.7.9, 5.7.11: RFC 4954
  { match: /\b(DMARC|DKIM|SPF)\b/, cause: 'authentication' },
  { match: status('5\\.7\\.(8|9|11|12|14|2[0-6]|29|509|515)'), cause: 'authentication' },

  // ── About the address, by a code that says so ──
  // 550-5.1.1 The email account that you tried to reach does not exist.              (Gmail)
  // 550 5.1.1 <mira@example.org>: Recipient address rejected: User unknown in local recipient table   (Postfix)
  // 511 sorry, no mailbox here by that name (#5.1.1 - chkuser)                       (qmail)
  // 551 5.1.6 Recipient no longer on server
  { match: status('5\\.1\\.(1|6)'), cause: 'no-such-mailbox' },
  // 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient mira@example.org not found by SMTP address lookup  (Exchange)
  { match: /recipientnotfound/i, cause: 'no-such-mailbox' },
  // 556 5.1.10 Recipient address has null MX                                         (RFC 7505)
  // 550 5.4.310 DNS domain example.org does not exist                                (Exchange)
  // 550 5.1.2 Host unknown · 550 5.4.4 Unable to route
  { match: status('5\\.1\\.(2|10)|5\\.4\\.(4|310)'), cause: 'no-such-domain' },
  // 552 5.2.2 <mira@example.org>: user is over quota · 552-5.2.2 The recipient's inbox is out of storage space
  { match: status('5\\.2\\.2'), cause: 'mailbox-full' },
  // 552 5.3.4 Message size exceeds fixed limit · 552 5.2.3 Message length exceeds administrative limit
  { match: status('5\\.3\\.4|5\\.2\\.3'), cause: 'size' },
  // 552-5.7.0 … is too large · 552 Message size exceeds maximum permitted · 554 message too big
  { match: /(message|mail|e-?mail)( size)?( is|'s)? (too (big|large)|exceeds)|size limit/i, cause: 'size' },

  // ── About the message ──
  // 554 5.7.1 Rejected due to high probability of spam · 550 5.7.1 … Gmail has detected that this message is likely
  // unsolicited mail · 550 High probability of spam · 554 Message contains a virus
  { match: /\bspam\b|unsolicited|\bjunk|\bvirus\b|\bphish/i, cause: 'spam' },

  // ── About the address, by words that leave no doubt; codes vary ──
  // 554 30 Sorry, your message to mira@example.org cannot be delivered. This mailbox is disabled (554.30).  (Yahoo)
  // 550-5.2.1 The email account that you tried to reach is inactive.                 (Gmail)
  // 550 Local mailbox mira@example.org is unavailable: account is disabled           (mail.ru)
  {
    match:
      /\b(mailbox|account|user|recipient|address)\b[^.;]{0,60}\b(disabled|inactive|suspended|deactivated|expired|closed|terminated)\b|\binactive (user|account|mailbox)/i,
    cause: 'mailbox-disabled',
  },
  // 550 No Such User Here (Exim under cPanel) · 550 User not found: mira@example.org (163.com)
  // 554 5.7.1 <mira@example.org>: Recipient address rejected: user mira@example.org does not exist
  // 552 1 Requested mail action aborted, mailbox not found                           (Yahoo)
  // 550 5.2.1 <mira@example.org>... Addressee unknown · 554 RCPT (mira@example.org) dosn't exist  (Alibaba)
  {
    match:
      /\b(no such|unknown|non-?existent) (user|recipient|mailbox|account|local[ -]part)|\b(user|recipient|mailbox|account|address|addressee)\b[^.;]{0,80}\b(unknown|not found|not known|does not exist|do(es)?n'?t exist)|\bRCPT\b.{0,20}\bdo(es|s)?n'?t exist|\bno mailbox (here )?by that name/i,
    cause: 'no-such-mailbox',
  },
  // 550 Unrouteable address (Exim) · 550 Host or domain name not found · 521 Domain does not accept mail (nullMX)
  {
    match:
      /unroute?able address|domain (name )?(was )?not found|no such domain|domain does not exist|does not accept mail|\bnull ?MX\b/i,
    cause: 'no-such-domain',
  },
  // 550 Mailbox is full · 552 mailbox size limit exceeded · 554 Recipient over quota
  {
    match: /(mailbox|inbox)( is)? (full|has exceeded)|over ?quota|quota (is )?exceeded|out of storage/i,
    cause: 'mailbox-full',
  },

  // ── About us, by code ──
  // 550 5.7.1 Service refused, please try later · 554 5.7.1 [CS01] Message rejected due to local policy   (iCloud)
  // 550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send to recipient
  { match: status('5\\.7\\.\\d{1,3}'), cause: 'policy' },

  // ── About the address, but it may mean something else ──
  // 550 5.2.1 Mailbox cannot take it now
  { match: status('5\\.2\\.1'), cause: 'mailbox-disabled' },
  // 550 5.4.1 Recipient address rejected: Access denied. (Exchange Online says so of whom it does not know)
  // 550 #5.1.0 Address rejected. · 550 5.0.1 Recipient rejected · 550 invalid mailbox · 550 invalid recipient
  // 550 Requested action not taken: mailbox unavailable       (RFC 5321: not found, no access, or for policy reasons)
  {
    match:
      /(recipient|address|mailbox|user)\b.{0,60}\b(rejected|refused|denied|unavailable|invalid|not (currently )?available)|\binvalid (recipient|mailbox|user|address)/i,
    cause: 'address-refused',
  },
  { match: status('5\\.1\\.[034]'), cause: 'address-refused' },
  // 552 with nothing beside it: exceeded storage allocation (RFC 5321 §4.2.2)
  { match: /^552\b/, cause: 'mailbox-full' },
]

/** What a 5xx answer is about, by the words and codes of the server; `unclear` for what no rule knows. */
export function causeOf(reply: string): Cause {
  if (!/^5\d\d\b/.test(reply)) return 'unclear'
  const words = reply.replace(/[^\s<>():;]+@[^\s<>():;]+/g, '@') // an address may hold any word: spam@example.org
  return answerRules.find(({ match }) => match.test(words))?.cause ?? 'unclear'
}
// $ lastword relay judge "550 5.1.1 <mira@example.org>: Recipient address rejected: User unknown"
