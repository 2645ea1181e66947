/** The number of a month from the start of its name, or null. Accents are ignored: Mär, févr., Μαΐου, мая. */
export function monthNumber(name: string | undefined): number | null {
  if (!name || /^\d/.test(name)) return null
  const plain = name
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
  for (const length of [7, 6, 5, 4, 3]) {
    const month = monthsByStart.get(plain.slice(0, length))
    if (month && plain.length >= length) return month
  }
  return null
}

/**
 * English, German, French, Spanish, Italian, Portuguese, Dutch, Danish, Norwegian, Swedish; then Polish and Czech,
 * Hungarian and Romanian, Turkish, Finnish, Indonesian, Greek, Russian, Ukrainian; Welsh, Irish, Lithuanian, Estonian and
 * Arabic. Without accents.
 */
const monthPrefixes = [
  'jan ene gen led sty ian oca tammi ιαν янв сич січ ion ean saus jaan يناي',
  'feb fev lut uno sub helmi peb φεβ фев лют chw fea vasar veeb فبرا',
  'mar mrt maa bre maalis marec μαρ мар бер maw kovo مارس',
  'apr avr abr kwi dub nis huhti απρ апр кви кві ebr aib balan ابري',
  'may mai mag mei maj kve touko μαι маи мая тра maju bea geg مايو',
  'jun juin giu cze cerven cervna iun haz kesa ιουν июн чер meh meith birz juun يوني',
  'jul juil lug lip cervenc cervene iul tem heina ιουλ июл лип gor iui liep juul يولي',
  'aug aou ago sie srp agu elo αυγ авг сер aws lunas rugp اغسط',
  'sep set wrz zar sze eyl syys σεπ сен вер med mean rugs سبتم',
  'oct okt ott out paz rij eki loka οκτ окт жов hyd deir spal اكتو',
  'nov lis kas marras νοε ноя лис tach samh lapkr نوفم',
  'dec dez dic gru pro ara joulu des δεκ дек гру rha noll ديسم',
]
const monthsByStart = new Map(
  monthPrefixes.flatMap((starts, index) => starts.split(' ').map((start): [string, number] => [start, index + 1])),
)

/** Hours east of Greenwich; the single letters are those of RFC 822 §5.1. */
export const zoneOffsetHours: Record<string, number> = {
  ...{ a: -1, m: -12, n: 1, y: 12 },
  ...{ est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 },
  ...{ akst: -9, akdt: -8, hst: -10, ast: -4, adt: -3, et: -5, ct: -6, mt: -7, pt: -8, brt: -3, art: -3 },
  ...{ bst: 1, wet: 0, west: 1, cet: 1, mez: 1, met: 1, cest: 2, mesz: 2, mest: 2, eet: 2, eest: 3, sast: 2, msk: 3 },
  ...{ ist: 5.5, sgt: 8, hkt: 8, awst: 8, jst: 9, kst: 9, acst: 9.5, aest: 10, aedt: 11, nzst: 12, nzdt: 13 },
}
