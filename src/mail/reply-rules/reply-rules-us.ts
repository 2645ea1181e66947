import { anyOf, type ReplyRule, status } from './reply-pattern.ts'

/**
 * Our sender address is refused. These rules come before all codes, since many servers also say "User unknown" about a
 * sender, with the code for an unknown recipient.
 */
export const senderRules: ReplyRule[] = [
  // 550 5.1.1 <bounces@magazine.example>: unauthorized sender                        (iCloud's private relay)
  // 550 5.1.0 <bounces@magazine.example>: Sender address rejected: User unknown       (Postfix)
  // 553 5.7.1 <bounces@magazine.example>: Sender address rejected: not owned by user ann   (Postfix)
  // 550 Sender verify failed (Exim) · 501 Emetteur invalide. Invalid Sender. OFR_405  (Orange)
  // 550 Der Absender wurde abgelehnt · 553 发件人地址不存在
  {
    match: anyOf(
      /unauthori[sz]ed sender/,
      /\bsender( e-?mail)?( address(es)?)?( (was|is|has been))? (rejected|denied|refused|invalid|unknown|verify|verification|not (allowed|accepted|permitted|authori[sz]ed)(?! to| by))/,
      /\b(invalid|bad|unknown|unverified) (envelope )?(sender|from|return[- ]path)( address)?\b(?! ip)/,
      /\bsender\b.{0,60}\b(do(es)? not|doesn'?t) exist|\bnot owned by\b/,
      /\bmail from\b.{0,40}\b(refused|invalid|unroutable)|\bbogus mail from|\bdomain of sender/,
      /\bsender'?s? (e-?mail )?domain\b.{0,30}(\b(empty|invalid|not|unknown|must)|n't)\b/,
      /\bunroute?able sender|\bfrom: domain is invalid|\bblank from|[ée]metteur invalide/,
      /exp[ée]diteur.{0,20}(invalide|refus[ée]|rejet[ée])/,
      /absender.{0,40}(abgelehnt|unbekannt|ung[üu]e?ltig|nicht (erlaubt|berechtigt|bekannt))/,
      /发件人.{0,8}(不存在|无效|拒绝|被拒)/,
    ),
    cause: 'sender-refused',
  },
  // 554 5.2.252 SendAsDenied; ann@magazine.example not allowed to send as bounces@magazine.example   (Exchange)
  // 550 5.7.60 SMTP; Client does not have permissions to send as this sender          (Exchange)
  { match: /\bsend ?as ?denied|\bsend (mail |e-?mail )?as\b/i, cause: 'sender-refused' },
  // 553 5.1.8 <bounces@magazine.example>... Domain of sender address does not exist    (sendmail)
  { match: status('5\\.1\\.(7|8)|5\\.7\\.60'), cause: 'sender-refused' },
  // 554 Message rejected: Email address is not verified.                              (Amazon SES)
  // 550 The from address does not match a verified Sender Identity.                   (SendGrid)
  { match: /(not|n't) (match )?(a )?verified/i, cause: 'policy' },
]

/** We have no access, or are not authenticated, with any code. */
export const accessRules: ReplyRule[] = [
  // 550 5.4.5 Daily user sending limit exceeded.                                      (Gmail's relay)
  // 550 Domain magazine.example has exceeded the max emails per hour (100/100)        (Exim under cPanel)
  {
    match: anyOf(
      /\b(daily|hourly|sending|outgoing|outbound)\b.{0,30}\b(limit|quota)/,
      /\b(your|sender'?s) .{0,20}\bquota|max(imum)? (defers|emails) (and|per)\b|submissionquota/,
    ),
    cause: 'limit',
  },
  // 550 5.7.1 Sending from your account has been suspended
  {
    match: /\b(your|sender'?s?|sending) (\w+ )?(account|domain|service)\b.{0,30}(suspend|disabled|blocked|paused)/i,
    cause: 'policy',
  },
  // 554 5.7.1 <mira@example.org>: Relay access denied                                 (Postfix)
  // 550 relay not permitted                                                           (Exim)
  // 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)             (qmail)
  {
    match: anyOf(
      /\brelay(ing)?\b.{0,20}\b(denied|prohibited|not (permitted|allowed)|rejected)/,
      /(\b(no|not|unable|insecure|cannot)|n't)\b.{0,30}\brelay(?! recipient)|allowed rcpthost/,
      /\bnot a gateway/,
    ),
    cause: 'policy',
  },
  // 530 5.7.0 Must issue a STARTTLS command first · 530 5.7.1 Authentication required
  // 535 5.7.8 Authentication credentials invalid
  {
    match: anyOf(
      /^53[0458]\b|\bauthentication (is )?(required|failure|failed|credentials)/,
      /\brequires? authentication|\bnot authenticated|\bunauthenticated/,
      /\bauthentification (requise|invalide)|\b(start)?tls (is )?required|\bverification failure/,
      /\bnot passed validation/,
    ),
    cause: 'authentication',
  },
  // 550 domain [magazine.example] mismatches client ip 192.0.2.1 · 554 invalid ip for sending mail of domain  (Tencent)
  // 550 magazine.example is not allowed to send mail from 192.0.2.1
  {
    match: anyOf(
      /\bmismatch\w* (the )?(client|sender|sending)|\b(client|sender|sending) ip\b.{0,20}\bmismatch/,
      /invalid ip for sending/,
      /not (allowed|authori[sz]ed|permitted) to send (mail|e-?mails?|messages?)? ?(from|for|on behalf)\b/,
    ),
    cause: 'authentication',
  },
  // 550 Unable to find your reverse DNS · 550 5.7.1 Client host rejected: cannot find your reverse hostname (Postfix)
  // 550 5.7.1 <mail.example.org>: Helo command rejected: Host not found · 551 forbidden by invalid RDNS record
  {
    match: anyOf(
      /\b(helo|ehlo)\b|client host rejected/,
      /\b(your|sender'?s|sending) (domain|host|hostname)\b.{0,40}(\b(not (exist|resolve|found)|unknown)|n'?t (exist|resolve)|\bvalid mx)/,
      /reverse[- ]?(dns|hostname|host)|\br-?dns\b|\bPTR\b|your host is not allowed/,
    ),
    cause: 'policy',
  },
]

/** Our server, address range or name is refused. */
export const reputationRules: ReplyRule[] = [
  // 550-The mail server could not deliver mail to mira@example.org. The account or domain may not exist, they may be
  // 550 blacklisted, or missing the proper dns entries.                               (Exim under cPanel: it does not know)
  { match: /account.{0,8}\bor domain may not exist/i, cause: 'address-refused' },
  // 550 5.1.1 your IP has sent to too many invalid recipients · 550 IP frequency limited (Tencent)
  // 550 User gets mail at a rate that prevents more from being delivered               (Gmail: the sender's doing, it passes)
  // 554 Too many connections, slow down. OFR_104                                      (Orange)
  {
    match: anyOf(
      /\btoo many( \w+){0,2} (recipients|messages|e-?mails?|mails|connections|sessions|errors|requests|spams|unwanted)/,
      /\bfrequency limit|\brate[- ]?limit|\bthrottl|\b(mail|messages) (too quickly|at a rate)/,
      /\bunusual rate|\b(connection|message|sending|mail) rate\b|\bthreshold\b/,
      /\b(connection|message) limit\b|\btry again slower|\ballowable number/,
      /\btrop de (connexions|messages)|\bzu viele (verbindungen|nachrichten|e-?mails)/,
      /(频率|发送|连接|链接).{0,4}(限制|超过|过于频繁|过多)/,
    ),
    cause: 'limit',
  },
  // 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org   (Postfix)
  // 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. … part of their network is on our block list (S3150)
  // 554 5.7.1 Your access to this mail system has been rejected due to the sending MTA's poor reputation
  // 550 5.7.606 Access denied, banned sending IP [192.0.2.1]
  // 554 IP=192.0.2.1 - None/bad reputation. · 554 IP=192.0.2.1 - A problem occurred. (BL)   (t-online.de)
  // 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1                   (Yahoo)
  {
    match: anyOf(
      /\b(block|black|deny|badsender)[ -]?list(ed|s|ing)?\b|\bRBL\b|\bDNSBL|\bURIBL|spamhaus|spamcop/,
      /barracudacentral|blocked using|\breputation\b|banned sen|\((BL|NOWL)\)|\[(BL|TSS?)\d+\]/,
      /\bIP\b.{0,30}\ba problem occurred|(?<!not )\blisted (at|by|in|on|as)\b|\bliste noire\b/,
      /\bschwarze liste|\bmessages from\b.{0,40}(\bnot|n't) sent|黑名单|信誉/,
    ),
    cause: 'blocklist',
  },
  // 550 Your IP is temporarily blocked · 550 Adresse IP source bloquee pour incident de spam    (Orange)
  // 550 this server does not accept mail from 192.0.2.1 · 554 Blocked - see https://…
  {
    match: anyOf(
      /\b(ips?|netblock|client host|mta|server|domain)\b.{0,80}\b(blocked\b|bloqu[ée]e?|banned|gesperrt|blockiert)/,
      /\b(bad|extreme\w*)\b.{0,12}\bip\b|\bopen proxy/,
      /\b(blocked|banned)\b.{0,20}\b(your |sender |sending |client |source )?ips?\b/,
      /(\b(not|never)|n't) (be )?(currently )?accept(ed|ing)? (any )?(mail|messages?|e-?mails?|connections?)? ?from/,
      /\b(blocked|refused) ?[-:,]? ?see\b|IP.{0,12}(禁止|封)/,
    ),
    cause: 'blocklist',
  },
  // 550 sender ip address rejected · 554 Host network not allowed                     (Tencent, sendmail)
  {
    match: anyOf(
      /\b(ips?|network|client)\b.{0,80}\b(reject\w*|refus\w*|denied|not (allowed|permitted|welcome)|forbidden|abgelehnt)/,
      /\b(rejected|refused|forbidden)\b.{0,20}\b(your |sender |sending |client |source )?ips?\b/,
      /IP.{0,12}拒绝/,
    ),
    cause: 'policy',
  },
  // 550 5.7.26 This mail has been blocked because the sender is unauthenticated. … SPF [magazine.example] did not pass
  // 550 5.7.509 Access denied, sending domain magazine.example does not pass DMARC verification
  // 5.7.20 to 5.7.26: RFC 7372, RFC 8601 · 5.7.8, 5.7.9, 5.7.11: RFC 4954
  { match: /\b(DMARC|DKIM|SPF)\b/i, cause: 'authentication' },
  { match: status('5\\.7\\.(8|9|11|12|14|2[0-6]|29|509|515)'), cause: 'authentication' },
]

/** About the message, or about a limit or a block that is named with any code. */
export const messageRules: ReplyRule[] = [
  // 554 5.7.1 Rejected due to high probability of spam · 550 5.1.1 message blocked as spam · 554 DT:SPM (163.com)
  // 550 5.7.1 … likely unsolicited mail · 554 Message contains a virus · 550 Mail rejete. Mail rejected. OFR_506 (Orange)
  // 500 5.6.1 Message content rejected · 552 an illegal attachment · 554 垃圾邮件
  {
    match: anyOf(
      /\bspam\w*|\bunsolicited|\bjunk|\bvirus|\bphish|\bmalware|\bDT:SP|\bmail rejet|\bmail rejected\./,
      /\bcontent (was |is )?(rejected|denied|refused|not accepted)/,
      /\b(unacceptable|banned|mail|message) content|\bcontent filter|\bmessage filtered|\bbulk\b/,
      /\bmass mail|\badvertising|\battachments?\b|\bexecutable|\bspam-?verdacht|垃圾邮件|内容.{0,4}(拒绝|违规)/,
    ),
    cause: 'spam',
  },
  // 550 5.1.1 limit exceeded for this hour · 550 5.7.1 You have exceeded your limit
  {
    match: anyOf(
      /\blimits?\b.{0,30}\b(exceed\w*|reached|hit)/,
      /\b(exceed\w*|reached|over)\b.{0,40}\b(limits?|maximum|max)\b|\blimits? of\b/,
    ),
    cause: 'limit',
  },
]

/** About us, by a code or by a provider's own code. */
export const policyMarkRules: ReplyRule[] = [
  // 550 5.7.1 Service refused, please try later · 554 5.7.1 [CS01] Message rejected due to local policy   (iCloud)
  // 550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send to recipient
  { match: status('5\\.7\\.\\d{1,3}'), cause: 'policy' },
  // 550 5.5.0 Service refuse. Veuillez essayer plus tard. LPN007_510                   (La Poste)
  // 554 Message not allowed - [PH01] Email not accepted for policy reasons             (Yahoo)
  // 554 [HM08] Message rejected (iCloud) · 554 (RTR:BG) (AOL) · 550 IB705 (GoDaddy) · 550 RP:CEL (163.com)
  {
    match:
      /\b(OFR|LPN|OUK)([A-Z]{3}|\d{3})?[-_]?\d{3}\b|\[(PH|CS|HM|HC|LC|TS|IPTS)\d\d\]|\((CON|DYN|HVU|IPOV|RLY|RTR|SCH):\w+\)|\bIB\d{3}\b|\bCX[A-Z]{3,6}\b|\b(RP|MI|DT):[A-Z]{3}\b/,
    cause: 'policy',
  },
]

/** About us, by words that never concern a single person. */
export const policyWordRules: ReplyRule[] = [
  // 554 Host network not allowed · 550 Connection denied · 550 Denied by administrator · 554 suspicious traffic
  // 554 5.0.0 Service unavailable, try again later: temporary, and not about the person
  {
    match: anyOf(
      /\bservice (was )?refus|\b(denied|rejected|refused|blocked) (by|for|due to) (?!recipient)/,
      /\b(connection|access|host|network|message|server)s? (is |was |from )?.{0,20}\b(denied|refused|forbidden|prohibited|not (allowed|permitted|accepted|welcome))/,
      /\b(denied|refused|forbidden|prohibited)\b.{0,20}\b(connection|access|network)/,
      /\bnot accepting (connections|messages|mail)|\bnot allowed to (connect|send)/,
      /\badministrative(ly)? (prohibit|reject|deni)|\babus(e|ive)|\bsuspicious|\bsuspected/,
      /\bforbidden\b|\bdynamic ips?\b|\bgo away\b|\bno access from|\bsystem has been rejected/,
      /\bsmtp server of your isp|\brequires confirmation|\bconfirm this mail server/,
      /\bbloqu[ée]s par nos services|\b(connection|session) (was )?(dropped|reset)/,
      /\b(members-only|closed mailing) list|\bnot subscribed\b|\bnot allowed to post/,
      /\bonly accept(s|ing) mail from|\borgani[sz]ational settings/,
      /\bheaders?\b.{0,30}\b(not|invalid|duplicate|error|missing)/,
      /\b(invalid|duplicate|missing|improper)\b.{0,40}\bheaders?/,
      /\bnot (message|rfc)[- ]?\w* ?\w* ?compliant|\brfc ?\d* ?compliant|\bimproperly/,
      /\btry (again )?later|\btry again in\b|gr[ae]y-?list|\bessayer plus tard|\btemporarily (rejected|deferred|unavailable|refused)/,
      /\bzugriff verweigert|拒绝(连接|接收|访问)|稍后/,
    ),
    cause: 'policy',
  },
  // 451 in a 5xx's clothes: 554 Internal server error · 550 Temporary local problem · 550 server configuration error
  {
    match: anyOf(
      /\b(internal|local|temporary|system|server|configuration|config|write)( \w+)? (error|problem|failure)/,
      /\bcurrently unavailable|\bmisconfigured|\bservice not available/,
    ),
    cause: 'server-fault',
  },
  // 554 5.6.3 the content cannot be converted: it is what we wrote. 5.6.0 is anything, and 5.6.7 about an address (RFC 6531)
  { match: status('5\\.6\\.[1-689]'), cause: 'policy' },
]
