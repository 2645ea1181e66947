/**
 * The state of a person in a file. `pending`: they never confirmed. `bounced` and `complained` hold for all digests;
 * `left` holds for the digest that the file is imported into.
 */
export type Standing = 'active' | 'pending' | 'left' | 'bounced' | 'complained'

/** Letters and digits in lower case, without accents: `Désabonné`, `DESABONNE` and `des-abonne` are spelled alike. */
export function normalizeWord(text: string): string {
  return fold(text).replace(/[^\p{L}\p{N}]+/gu, '')
}

/** The words of a text in lower case, without accents. */
export function wordsOf(text: string): string[] {
  return fold(text)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
}

const foldings: Record<string, string> = { ß: 'ss', ł: 'l', ø: 'o', æ: 'ae', œ: 'oe', đ: 'd', ı: 'i' }

function fold(text: string): string {
  const withoutMarks = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\p{M}\p{Default_Ignorable_Code_Point}]+/gu, '')
  return withoutMarks.replace(/[ßłøæœđı]/g, (one) => foldings[one] ?? one)
}

const splitWords = (text: string) => text.split(/\s+/).filter(Boolean)

/** By language: English, German, French, Spanish, Italian, Dutch, Portuguese, Polish, Swedish, Danish; spelled as by `normalizeWord`. */
const stateWords: Record<Standing, string[]> = {
  active: splitWords(`
    active enabled subscribed subscriber confirmed optedin optin singleoptin doubleoptin regular premium trialed gifted
    churning unpaid pastdue free paid comped complimentary verified live current valid deliverable allowed express implied explicit granted given
    aktiv aktiviert abonniert abonnent angemeldet eingetragen bestatigt eingewilligt
    actif abonne abonnee inscrit inscrite confirme confirmee
    activo activa suscrito suscrita suscriptor confirmado confirmada alta
    attivo attiva iscritto iscritta confermato confermata
    actief ingeschreven geabonneerd aangemeld bevestigd
    ativo ativa inscrito inscrita subscrito assinante
    aktywny aktywna zapisany zapisana potwierdzony potwierdzona subskrybent
    prenumererar prenumerant bekraftad anmald
    tilmeldt bekraeftet aktive`),
  pending: splitWords(`
    unconfirmed notconfirmed pending pendingconfirmation awaitingconfirmation unactivated unverified nonsubscribed
    notsubscribed neversubscribed transactional validating notverified
    unbestatigt nichtbestatigt ausstehend nonconfirme nonconfirmee enattente noconfirmado sinconfirmar pendiente
    nonconfermato inattesa nietbevestigd onbevestigd inafwachting naoconfirmado pendente niepotwierdzony
    niepotwierdzona oczekujacy obekraftad vantande ubekraeftet ikkebekraeftet afventer`),
  left: splitWords(`
    unsubscribed unsubscribe unsub unsubscriber unsubscribes globallyunsubscribed manuallyunsubscribed
    unsubscribedbyuser unsubscribedbyadmin unsubscribedglobally optedout optout optedoutofemail notoptedin left gone
    quit blocklisted blacklisted blocked banned disabled deleted removed archived inactive notactive nonactive
    deactivated cancelled canceled suppressed suppress suspended revoked withdrawn spammy donotemail donotmail
    donotcontact donotsend dnc excluded onhold declined denied refused deceased
    abgemeldet abbestellt ausgetragen gekundigt gesperrt blockiert geloscht deaktiviert inaktiv widerrufen
    widersprochen nichtangemeldet entfernt
    desabonne desabonnee desinscrit desinscrite inactif bloque bloquee supprime supprimee desactive desactivee resilie
    resiliee annule annulee
    baja debaja dadodebaja dadadebaja desuscrito desuscrita cancelado cancelada inactivo inactiva bloqueado bloqueada
    eliminado eliminada desactivado desactivada borrado borrada
    disiscritto disiscritta cancellato cancellata disattivato disattivata inattivo inattiva bloccato bloccata eliminato
    eliminata rimosso rimossa revocato
    uitgeschreven afgemeld opgezegd inactief geblokkeerd verwijderd gedeactiveerd
    descadastrado descadastrada desinscrito desinscrita desativado desativada inativo inativa removido removida excluido
    excluida anulado
    wypisany wypisana wyrejestrowany wyrejestrowana nieaktywny nieaktywna zablokowany zablokowana usuniety usunieta
    zrezygnowal zrezygnowala rezygnacja
    avregistrerad avanmald avprenumererad avslutad blockerad borttagen sparrad
    afmeldt frameldt blokeret slettet opsagt`),
  bounced: splitWords(`
    bounced bounce bounces hardbounce hardbounced cleaned undeliverable undelivered unreachable invalid invalidemail
    unzustellbar ungultig rucklaufer nondelivrable nondistribuable invalide rebotado rebotada rebote invalido invalida
    noentregable rimbalzato rimbalzata nonvalido nonvalida onbestelbaar gebounced ongeldig devolvido devolvida odrzucony
    odrzucona nieprawidlowy niedostarczalny studsad studsat ogiltig ugyldig afvist`),
  complained: splitWords(`
    complained complaint complainer complaints spamcomplaint abuse spam markedasspam reportedspam reportedasspam
    spamreport junk
    spambeschwerde beschwerde alsspamgemeldet plainte signalespam queja marcadocomospam segnalatocomespam klacht
    reclamacao skarga klagomal klage`),
}

const meaningByWord = new Map(
  Object.entries(stateWords).flatMap(([meaning, these]) => these.map((word) => [word, meaning as Standing])),
)

/** Words with several meanings: in a column with a neutral heading they say nothing about a subscription. */
const ambiguousWords = new Set(
  splitWords(`
    pending ausstehend enattente pendiente inattesa inafwachting pendente oczekujacy vantande afventer validating
    transactional unverified notverified unactivated left gone quit blocked banned disabled deleted removed archived
    inactive notactive nonactive deactivated cancelled canceled suspended revoked withdrawn excluded onhold declined
    denied refused deceased invalid unreachable abuse spam junk bounce gekundigt gesperrt blockiert geloscht deaktiviert
    inaktiv widerrufen widersprochen entfernt inactif bloque bloquee supprime supprimee desactive desactivee resilie
    resiliee annule annulee baja cancelado cancelada inactivo inactiva bloqueado bloqueada eliminado eliminada
    desactivado desactivada borrado borrada cancellato cancellata disattivato disattivata inattivo inattiva bloccato
    bloccata eliminato eliminata rimosso rimossa revocato opgezegd inactief geblokkeerd verwijderd gedeactiveerd
    desativado desativada inativo inativa removido removida excluido excluida anulado nieaktywny nieaktywna zablokowany
    zablokowana usuniety usunieta rezygnacja avslutad blockerad borttagen sparrad blokeret slettet opsagt ungultig
    invalide rebote invalido invalida nonvalido nonvalida ongeldig devolvido devolvida odrzucony odrzucona nieprawidlowy
    ogiltig ugyldig afvist beschwerde plainte queja klacht reclamacao skarga klagomal klage complaint complaints`),
)

/** A longer value is a text, not a state. */
const maxStateLength = 100

/** The meaning of a value as a state; undefined if unknown. Umlauts may be written as two letters. */
export function meaningOf(value: string): Standing | undefined {
  if (value.length > maxStateLength) return undefined
  const word = normalizeWord(value)
  return meaningByWord.get(word) ?? meaningByWord.get(word.replace(/([aou])e/g, '$1'))
}

/** Whether a value says under any heading that its person left, never confirmed, bounced or complained. */
export function isUnmistakable(value: string): boolean {
  if ([undefined, 'active'].includes(meaningOf(value))) return false
  const word = normalizeWord(value)
  return !ambiguousWords.has(word.replace(/([aou])e/g, '$1')) && !ambiguousWords.has(word)
}

const yesWords = new Set(
  splitWords(`yes y true t 1 x on ok checked granted given express expressed explicit implied implicit accepted agreed
    erteilt donne otorgado concesso gegeven
    ja oui vrai si s verdadero vero sim verdadeiro tak prawda j wahr waar sand sant`),
)
const noWords = new Set(
  splitWords(`no n false f 0 off never none unchecked notgiven notgranted
    nein falsch non faux falso nee onwaar nao nie falsz nej falsk nei`),
)
/** Values that stand for an empty cell. */
const emptyWords = new Set(['', 'null', 'nil', 'na', 'nan', 'undefined', 'unknown'])

/** The kind of value in a yes-or-no column; `date` is the time since when. */
export type Answer = 'yes' | 'no' | 'nothing' | 'date' | 'words'

export function classifyAnswer(value: string): Answer {
  if (value.length > maxStateLength) return 'words'
  const word = normalizeWord(value)
  if (emptyWords.has(word) || isZeroDate(value)) return 'nothing'
  if (yesWords.has(word)) return 'yes'
  if (noWords.has(word)) return 'no'
  return isDate(value) ? 'date' : 'words'
}

/** Values that databases write for no date: MySQL's zeros, .NET's first day, second 0 of 1970. */
const isZeroDate = (value: string) => /^(?:0000-00-00|0001-01-01|1970-01-01[T ]00:00(?::00)?)/.test(value)

/** A date with separators, or seconds since 1970. */
const isDate = (value: string) =>
  /\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}|\d{1,2}\.? \p{L}+\.? \d{4}|\p{L}+ \d{1,2},? \d{4}|^\d{8,13}$/u.test(value)

/** The time in a cell, in milliseconds since 1970; undefined where day and month could be confused. */
export function parseInstantMs(value: string): number | undefined {
  if (/^\d{10}$/.test(value)) return Number(value) * 1000
  if (/^\d{13}$/.test(value)) return Number(value)
  const [, day, time = '00:00', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|UTC|[+-]\d{2}:\d{2})?)?$/.exec(value) ?? []
  const at = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone === 'UTC' ? 'Z' : zone}`)
  return Number.isNaN(at) ? undefined : at
}
