/**
 * Groups of words that exclude each other: one in the place of another changes what a headline says. Each group is a
 * list of meanings, and each meaning a line of words with its forms; the languages are en, de, fr, es, it, nl and cy.
 */
export const exclusiveGroups: string[][] = [
  // "Agents shot in raid" · "Suspects shot in raid"
  ['agent agents officer officers police', 'suspect suspects gunman gunmen', 'victim victims'],
  [
    'man men male mann männer homme hommes hombre uomo dyn',
    'woman women female frau frauen femme femmes mujer donna vrouw menyw',
  ],
  [
    'boy boys son sons junge sohn garçon fils hijo figlio jongen zoon mab',
    'girl girls daughter daughters mädchen tochter fille hija figlia meisje dochter merch',
  ],
  [
    'brother brothers bruder frère hermano fratello broer brawd',
    'sister sisters schwester sœur hermana sorella zus chwaer',
  ],
  [
    'husband ehemann mari marido marito gŵr',
    'wife ehefrau épouse esposa moglie echtgenote gwraig',
    'partner',
    'widow widower',
  ],
  [
    'father dad vater père padre vader tad',
    'mother mum mom mutter mère madre moeder mam',
    'uncle',
    'aunt',
    'grandfather',
    'grandmother',
  ],
  [
    'rise rises rose rising up increase increases grow grows gain gains steigt steigen hausse augmente sube suben sale stijgt stijgen codi',
    'fall falls fell falling down decrease decreases drop drops shrink shrinks sinkt sinken fällt baisse diminue baja bajan scende cala daalt dalen gostwng',
  ],
  [
    'win wins won gewinnt gagne gana vince wint ennill',
    'lose loses lost verliert perd pierde perde verliest colli',
    'draw draws drew',
  ],
  [
    'kill kills killed dead die dies died tote tot getötet morts mort tués muertos morti doden gedood',
    'injure injures injured hurt wounded verletzt verletzte blessé blessés heridos feriti gewond gewonden',
  ],
  [
    'approve approves approved accept accepts accepted back backs backed genehmigt approuve aprueba approva',
    'reject rejects rejected ablehnt rejette rechaza respinge',
  ],
  ['open opens opened öffnet ouvre abre apre', 'close closes closed shut shuts schließt ferme cierra chiude sluit'],
  ['more mehr plus más più meer', 'fewer less weniger moins menos meno minder'],
  ['highest high hoch haut', 'lowest low niedrig bas'],
  ['before vor avant antes prima voor cyn', 'after nach après después dopo na wedi'],
  ['first', 'second', 'third', 'fourth', 'last'],
  [
    'north northern nord norden norte noord gogledd',
    'south southern süd süden sud zuid',
    'east eastern ost osten oost dwyrain',
    'west western westen ouest oeste ovest gorllewin',
  ],
  ['left-wing left', 'right-wing right'],
  ['buy buys bought kauft achète compra koopt', 'sell sells sold verkauft vend vende verkoopt'],
  [
    'ban bans banned verbietet interdit prohíbe vieta',
    'allow allows allowed permit permits erlaubt autorise permite permette',
  ],
  ['murder mord meurtre asesinato omicidio moord', 'manslaughter totschlag', 'suicide'],
  [
    'guilty convicted schuldig coupable culpable colpevole schuldig',
    'innocent cleared acquitted unschuldig acquitté absuelto assolto onschuldig',
  ],
  ['will wird sera será sarà zal', 'may might could könnte pourrait podría potrebbe kan'],
  ['support supports supporter supporters', 'oppose opposes opponent opponents critic critics'],
  ['import imports imported', 'export exports exported'],
  ['profit profits', 'loss losses'],
  ['net', 'gross'],
  ['rich', 'poor'],
  ['surplus', 'deficit'],
  ['majority', 'minority'],
  ['employer employers', 'employee employees worker workers'],
  ['minimum', 'maximum'],
  ['median', 'average mean'],
  [
    'mile miles',
    'kilometre kilometres kilometer kilometers km',
    'metre metres meter meters',
    'foot feet',
    'acre acres',
    'hectare hectares',
  ],
  [
    'hour hours stunde stunden heure heures hora horas ore uur',
    'day days tag tage jour jours día días giorni dagen',
    'week weeks woche wochen semaine semaines semana semanas settimane weken',
    'month months monat monate mois mes meses mesi maanden',
    'year years jahr jahre ans año años anni jaar',
  ],
  ['tonne tonnes ton tons', 'kilogram kilograms kilo kilos kg', 'gram grams'],
  ['daily', 'weekly', 'monthly', 'annual annually yearly'],
  ['today', 'yesterday', 'tomorrow'],
  [
    'monday montag lundi lunes lunedì maandag',
    'tuesday dienstag mardi martes martedì dinsdag',
    'wednesday mittwoch mercredi miércoles mercoledì woensdag',
    'thursday donnerstag jeudi jueves giovedì donderdag',
    'friday freitag vendredi viernes venerdì vrijdag',
    'saturday samstag samedi sábado sabato zaterdag',
    'sunday sonntag dimanche domingo domenica zondag',
  ],
  [
    'january januar janvier enero gennaio januari',
    'february februar février febrero febbraio februari',
    'march märz mars marzo maart',
    'april avril abril aprile',
    'june juni juin junio giugno',
    'july juli juillet julio luglio',
    'august août agosto augustus',
    'september septembre septiembre settembre',
    'october oktober octobre octubre ottobre',
    'november novembre noviembre',
    'december dezember décembre diciembre dicembre',
  ],
  ['uk britain british britons', 'england english', 'scotland scottish scots', 'wales welsh', 'ireland irish'],
  ['us usa american americans america', 'canada canadian', 'mexico mexican'],
  [
    'france french frankreich francia',
    'germany german deutschland allemagne alemania germania',
    'spain spanish spanien espagne españa',
    'italy italian italien italie italia',
    'portugal portuguese',
    'belgium belgian belgien belgique',
    'netherlands dutch niederlande',
    'austria austrian österreich autriche',
    'switzerland swiss schweiz suisse',
    'poland polish polen',
    'hungary hungarian',
    'sweden swedish',
    'norway norwegian',
    'denmark danish',
    'finland finnish',
    'greece greek',
    'turkey turkish',
    'russia russian russland',
    'ukraine ukrainian',
    'iran iranian',
    'iraq iraqi',
    'israel israeli',
    'syria syrian',
    'china chinese',
    'japan japanese',
    'india indian',
    'pakistan pakistani',
    'australia australian',
    'austria austrian',
    'niger',
    'nigeria nigerian',
    'slovakia slovak',
    'slovenia slovenian',
  ],
]

/**
 * What a story does next: the first words become the second without a mistake, such as a missing person who is found.
 */
export const progressions: [string, string][] = [
  [
    'missing search searching hunt vermisst disparu desaparecido scomparso vermist',
    'found gefunden retrouvé hallado trovato gevonden',
  ],
  [
    'arrested held detained jailed festgenommen arrêté detenido arrestato aangehouden',
    'freed released charged bailed frei freigelassen libéré libre liberato vrij vrijgelaten',
  ],
  [
    'charged accused trial angeklagt',
    'convicted guilty jailed sentenced cleared acquitted verurteilt condamné condenado condannato veroordeeld',
  ],
  [
    'closed shut closes gesperrt geschlossen fermé cerrado chiuso gesloten',
    'reopen reopens reopened open opens öffnet rouvre reabre riapre heropend',
  ],
  [
    'injured hurt wounded critical verletzt blessé herido ferito gewond',
    'dies died dead killed stirbt gestorben meurt muere muore overleden',
  ],
  ['may might could will to expected set könnte pourrait podría', 'has have is are was were announced confirmed'],
  ['vote votes election', 'wins won elected result results'],
  ['talks negotiating verhandeln', 'deal agree agrees agreed agreement einigung accord'],
  ['strike strikes streik grève huelga', 'ends called off suspended'],
  ['leads leading ahead', 'wins won beats'],
  ['proposes proposed considers plans', 'approves approved rejects rejected passes passed'],
]

/** Words that deny, with verbs that do. */
export const negations = new Set(
  `not no never none nobody nothing neither nor without cannot refuse refuses refused refusing deny denies denied fail fails failed
   nicht kein keine keinen keiner keinem nie niemals ohne weder verweigert
   ne pas jamais sans aucun aucune refuse
   nunca sin ningún ninguna jamás niega
   non senza nessun nessuno nessuna nega rifiuta
   niet geen nooit zonder weigert
   nid nad ddim dim heb byth gwrthod`.split(/\s+/),
)

/** Nouns whose number grows while a story goes on. */
export const tallyWords = new Set(
  `dead death deaths killed die dies died injured hurt wounded missing arrested arrests held toll cases infected infections evacuated rescued homeless displaced
   tote toten verletzte verletzten vermisste festnahmen fälle
   morts mort blessés disparus arrestations cas tués
   muertos heridos desaparecidos detenidos casos
   morti feriti dispersi arresti casi
   doden gewonden vermisten arrestaties gevallen
   marw meirw anafu`.split(/\s+/),
)

/** Offices and institutions: one in the place of a name is another way to say it. */
export const roleWords = new Set(
  `pm president minister ministers mayor king queen prince princess government council mp mps sir dame mr mrs ms dr lord lady
   chancellor secretary boss chief police court parliament no 10 downing street white house whitehall
   kanzler bundeskanzler präsident regierung bürgermeister président ministre gouvernement maire
   presidente gobierno alcalde governo sindaco burgemeester kabinet`.split(/\s+/),
)

/** Number words; "one" is left out, because many languages have the same word as an article. */
export const numberWords = new Map<string, number>(
  (
    [
      [2, 'two zwei deux dos twee dau'],
      [3, 'three drei trois tres tre drie tri'],
      [4, 'four vier quatre cuatro quattro pedwar'],
      [5, 'five fünf cinq cinco cinque vijf'],
      [6, 'six sechs seis sei zes chwech'],
      [7, 'seven sieben sept siete sette zeven saith'],
      [8, 'eight acht huit ocho wyth'],
      [9, 'nine neun neuf nueve nove negen naw'],
      [10, 'ten zehn dix diez dieci tien deg'],
      [11, 'eleven elf onze undici'],
      [12, 'twelve zwölf douze doce dodici twaalf'],
      [20, 'twenty zwanzig vingt veinte venti twintig'],
      [30, 'thirty dreißig trente treinta trenta dertig'],
      [40, 'forty vierzig quarante cuarenta quaranta veertig'],
      [50, 'fifty fünfzig cinquante cincuenta cinquanta vijftig'],
    ] as const
  ).flatMap(([value, words]) => words.split(' ').map((word) => [word, value] as const)),
)

/** Words after a number that multiply it. */
export const multipliers = new Map<string, number>([
  ...['k', 'thousand', 'tausend', 'mille', 'mil', 'mila', 'duizend'].map((word) => [word, 1e3] as const),
  ...['m', 'mn', 'million', 'millions', 'mio', 'millionen', 'millones', 'milioni', 'miljoen'].map(
    (word) => [word, 1e6] as const,
  ),
  ...['bn', 'billion', 'billions', 'mrd', 'milliarden', 'milliards', 'miliardi', 'miljard'].map(
    (word) => [word, 1e9] as const,
  ),
])

/** Words for the signs of currencies and for per cent. */
export const unitSigns = new Map<string, string>([
  ...['pound', 'pounds', 'pfund'].map((word) => [word, '£'] as const),
  ...['dollar', 'dollars', 'dólares', 'dollari'].map((word) => [word, '$'] as const),
  ...['euro', 'euros'].map((word) => [word, '€'] as const),
  ...['percent', 'pc', 'prozent', 'procent'].map((word) => [word, '%'] as const),
])

/** Words that say that the number after them is rounded. */
export const approximations = new Set(
  'about around nearly almost over more than some up least fast rund etwa knapp fast über environ près presque casi unos circa quasi oltre bijna ruim ongeveer bron'.split(
    ' ',
  ),
)
