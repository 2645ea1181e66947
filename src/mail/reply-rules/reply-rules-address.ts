import { anyOf, type ReplyRule, status } from './reply-pattern.ts'

/** A full mailbox is temporary, and some servers use the code for an unknown user for it. */
export const capacityRules: ReplyRule[] = [
  // 552 5.3.4 Message size exceeds fixed limit · 552 5.2.3 Message length exceeds administrative limit
  { match: status('5\\.3\\.4|5\\.2\\.3'), cause: 'size' },
  // 552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417              (Orange)
  // 552 sorry, that recipient is over quota (#5.1.1)                                  (qmail)
  // 550 Mailbox is full · 552 mailbox size limit exceeded · 550 mailbox would exceed maximum allowed storage
  // 550 account disabled temporarily for exceeding receiving limits
  // 552 Postfach ist voll (German) · 552 邮箱空间不足 (Chinese)
  {
    match: anyOf(
      /quota\b/,
      /\b(mailbox|mail box|inbox|mail ?dir|mail ?folder|mail ?drop)\b[^.;]{0,60}\b(full\b|exceed)/,
      /\b(account|user|recipient)\b[^.;]{0,60}\b(full\b|exceed\w* .{0,40}(storage|size|space|disk|allocation|capacity))/,
      /\bover (its |the |their )?(allocated |allowed )?storage|\bmailbox size limit/,
      /\bstorage (limit|allocation|quota)|\btoo many messages on|\bout of (storage|disk|space)/,
      /\b(no|not enough|insufficient) (disk|storage|mailbox|free) ?(space|storage)/,
      /\bexceed\w* (\w+ )?storage|\breceiving limits?|\bdisk ?space/,
      /\bfull mailbox|\bspace\b.{0,20}\bused up|\bno space left/,
      /\btoo much mail data|\b(enough|sufficient)( \w+)? space|\bbo[iî]te\b.{0,40}\bpleine/,
      /speicherplatz|(postfach|mailbox|konto)\b.{0,40}(voll|[üu]e?berf[üu]e?llt)|\bbuz[oó]n\b.{0,20}\blleno/,
      /\bcasella\b.{0,20}\bpiena|(邮箱|空间|容量).{0,4}(已满|不足|超出|超过)/,
    ),
    cause: 'mailbox-full',
  },
  // 552 5.2.2 <mira@example.org>: no room · 552-5.2.2 The recipient's inbox is out of storage space
  { match: status('5\\.2\\.2'), cause: 'mailbox-full' },
  // 552-5.7.0 … is too large · 552 Message size exceeds maximum permitted · 554 message too big
  // 552 Taille limite du message atteinte · 552 Die Nachricht ist zu groß
  {
    match: anyOf(
      /\b(message|mail|e-?mail)( (header )?size)?( is|'s)? (too (big|large|long)|exceeds)/,
      /\b(size|length) (limits?|exceeds)\b|taille (limite|maximale) du message|nachricht ist zu gro/,
      /邮件.{0,4}(过大|太大)/,
    ),
    cause: 'size',
  },
]

/** About the address, by a code that says so. */
export const addressCodeRules: ReplyRule[] = [
  // 550 5.1.1 the mailbox is temporarily disabled: the code of a permanent refusal for a temporary one
  // 550 5.1.1 Le compte du destinataire est bloque. The recipient account is blocked. LPN_426   (La Poste)
  {
    match:
      /\b(account|mailbox|user|recipient|compte|konto|postfach)\b[^.;]{0,40}(blocked\b|bloqu[ée]|gesperrt|temporar|temporairement|vor[üu]e?bergehend)/i,
    cause: 'mailbox-disabled',
  },
  // 550 5.1.1 Denied by policy · 550 5.1.1 blocked. With "unknown user" such a word is only an explanation
  {
    match:
      /^(?!.*\b(unknown|no such|not found|not exist|n'?t exist|invalid recipient)).*(\bpolic(y|ies)\b|\bblock(ed|ing)\b|\bbanned\b|\blimit(s|ed)?\b|\bservice (was )?refus|\bpolitique de\b|richtlinie|策略)/i,
    cause: 'policy',
  },
  // 550-5.1.1 The email account that you tried to reach does not exist.               (Gmail)
  // 550 5.1.1 <mira@example.org>: Recipient address rejected: User unknown in local recipient table   (Postfix)
  // 511 sorry, no mailbox here by that name (#5.1.1 - chkuser)                        (qmail)
  // 551 5.1.6 Recipient no longer on server
  { match: status('5\\.1\\.(1|6)'), cause: 'no-such-mailbox' },
  // 550 Adresse d au moins un destinataire invalide. Invalid recipient. LPN416          (Orange, La Poste)
  { match: /\b(OFR|LPN|OUK)([A-Z]{3}|\d{3})?[-_]?416\b/, cause: 'no-such-mailbox' },
  // 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient mira@example.org not found by SMTP address lookup  (Exchange)
  { match: /recipient ?notfound/i, cause: 'no-such-mailbox' },
  // 556 5.1.10 Recipient address has null MX                                          (RFC 7505)
  // 550 5.4.310 DNS domain example.org does not exist                                 (Exchange)
  // 550 5.1.2 Host unknown · 550 5.4.4 Unable to route
  { match: status('5\\.1\\.(2|10)|5\\.4\\.(4|310)'), cause: 'no-such-domain' },
]

/** About the address, by words that leave no doubt; codes vary. */
export const addressWordRules: ReplyRule[] = [
  // 554 30 Sorry, your message to mira@example.org cannot be delivered. This mailbox is disabled (554.30).  (Yahoo)
  // 550-5.2.1 The email account that you tried to reach is inactive.                  (Gmail)
  // 550 Local mailbox mira@example.org is unavailable: account is disabled            (mail.ru)
  // 550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN_420             (La Poste)
  // 550 Das Postfach ist deaktiviert · 550 帐号已停用
  {
    match: anyOf(
      /\b(mailbox|account|user|recipient|address)\b[^.;]{0,60}\b(disabled|inactive|suspended|deactivated|expired|closed|terminated|locked|frozen|abandoned|not (an )?active|no longer (active|available|in use|accepts?))\b/,
      /\b(currently|has been) suspended|\breceiving disabled/,
      /\b(inactive|deactivated|archived|disabled|suspended|expired) (user|account|mailbox|recipient)/,
      /\b(compte|bo[iî]te)\b.{0,40}(suspendu|d[ée]sactiv|ferm[ée]|archiv)/,
      /\b(postfach|konto|mailbox)\b.{0,40}(deaktiviert|geschlossen|inaktiv|gek[üu]e?ndigt)/,
      /(用户|账号|帐号|账户|邮箱).{0,4}(停用|冻结|禁用|锁定|过期)/,
    ),
    cause: 'mailbox-disabled',
  },
  // 550 No Such User Here (Exim under cPanel) · 550 User not found: mira@example.org (163.com)
  // 554 5.7.1 <mira@example.org>: Recipient address rejected: user mira@example.org does not exist
  // 552 1 Requested mail action aborted, mailbox not found · 554 dd This user doesn't have a yahoo.com account   (Yahoo)
  // 550 5.2.1 <mira@example.org>... Addressee unknown · 554 RCPT (mira@example.org) dosn't exist  (Alibaba)
  // 550 Utilisateur inconnu · 550 Empfänger unbekannt · 550 no existe ese usuario · 550 收件人不存在
  {
    match: anyOf(
      /\b(no such|unknown|non-?existent) (user|recipient|mailbox|account|address|person|customer|alias|local[ -]part)/,
      /\b(user|recipient|mailbox|account|address|addressee)\b[^.;]{0,80}\b(unknown|not (be )?found|not known|does not exist|do(es)?n'?t exist|not exist\b|not present)/,
      /\bRCPT\b.{0,20}\b(do(es|s)?n'?t|does not) exist/,
      /\bnot listed in\b.{0,30}\b(directory|address book)/,
      /\bno (mail ?box|account|mail box|user) (here|found|available|by that name)/,
      /\b(user|recipient)\b.{0,20}\b(doesn'?t|does not) have an? .{0,40}\b(account|mailbox)/,
      /\bnot a (valid|known|local) (recipient|user|mailbox|address|customer)|\bnot our (customer|user)/,
      /\bnot in my validrcptto|\bunknown (virtual user|or illegal alias)/,
      /\b(addresses|recipients) (were|are) unknown|\b(user|recipient|address)\b.{0,20}\bno longer valid/,
      /\b(recipient|user|address) is not (local|a known|known)|\b(no one|nobody) at this address/,
      /\bis no longer valid/,
    ),
    cause: 'no-such-mailbox',
  },
  {
    match: anyOf(
      /\b(utilisateur|destinataire|compte|adresse)\b.{0,30}(inconnue?|inexistante?|n'existe pas)/,
      /(empf[äa]e?nger|benutzer|postfach|mailbox|adresse)\b.{0,40}(unbekannt|existiert nicht|nicht (gefunden|vorhanden|bekannt))/,
      /\bkein(e|en)? (solche[rsn]? )?(benutzer|empf[äa]nger|postfach|mailbox)/,
      /\bno existe (ese|dicha|el|la) |\bnessun utente|(用户|收件人|邮箱|账号|帐号|地址).{0,6}不存在|查无此/,
    ),
    cause: 'no-such-mailbox',
  },
  // 550 Unrouteable address (Exim) · 550 Host or domain name not found · 521 Domain does not accept mail (nullMX)
  {
    match: anyOf(
      /unroute?able address|\bdomain (name )?(was )?not found|\bno such domain/,
      /\bdomain (does not|doesn'?t) exist|\bunknown (host|domain)|\b(host|domain) unknown/,
      /does not accept mail|\bnull ?MX\b|\bno mx (record|host)|\bhost (unreachable|not found)/,
      /\bdomain is not reachable|\b(recipient )?domain must exist|\bname or service not known/,
      /\bno route\b|\bdomain\b.{0,20}existiert nicht|域名不存在/,
    ),
    cause: 'no-such-domain',
  },
]

/** Probably about the address. */
export const doubtfulWordRules: ReplyRule[] = [
  // 550 5.2.1 Mailbox cannot take it now
  { match: status('5\\.2\\.1'), cause: 'mailbox-disabled' },
  // 550 5.4.1 Recipient address rejected: Access denied. (Exchange Online, for an unknown recipient)
  // 550 #5.1.0 Address rejected. · 550 5.0.1 Recipient rejected · 550 invalid mailbox · 550 invalid recipient
  // 550 Requested action not taken: mailbox unavailable       (RFC 5321: not found, no access, or for policy reasons)
  {
    match: anyOf(
      /(recipient|address|mailbox|user)\b.{0,60}\b(rejected|refused|denied|unavailable|invalid|not (currently )?available)/,
      /\binvalid (recipient|mailbox|user|address)|\bno valid recipients|\bbad ?(recipient|rcptto)/,
      /\baccount unavailable|\b(user|recipient)s? (refuses?|rejects?)\b|\bmailbox unavaiable/,
      /\bdoes not exist\b|\b(recipient|user) (is )?not (ok|accepted)/,
    ),
    cause: 'address-refused',
  },
]

/** The same, by a code alone. */
export const doubtfulCodeRules: ReplyRule[] = [
  // 550 5.1.3 Bad destination
  { match: status('5\\.1\\.[034]'), cause: 'address-refused' },
  // 552 without other words: exceeded storage allocation (RFC 5321 §4.2.2)
  { match: /^552\b/, cause: 'mailbox-full' },
]
