/** Share of the characters, 0 to 1, that a text in any language hardly has: the sign of a wrong encoding. */
export function strangeShare(text: string): number {
  const letters = text.match(/[^\s\d]/g)?.length ?? 0
  if (letters === 0) return 0
  let strange = 0
  for (const pattern of strangePatterns) strange += text.match(pattern)?.length ?? 0
  return Math.min(1, strange / letters)
}

const strangePatterns = [
  /[\ufffd\u0080-\u009f\ue000-\uf8ff]/g,
  // Half-width kana, box drawing, and the signs of Latin-1 that stand between letters of no language.
  /[\uff61-\uff9f\u2500-\u25ff]|(?<=\p{L})[¡-¶¸-¿×÷](?=\p{L})/gu,
  // ISO-8859-7 and Windows-1253 differ in the first of these letters: Ά.
  /(?<!\p{L})[’¶](?=\p{Script=Greek})/gu,
  // A capital after a small letter: KOI8 read as Windows-1251 has one in each word.
  /(?<=\p{Ll})\p{Lu}/gu,
  // Two scripts in one word.
  /(?<=\p{Script=Latin})[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Thai}]|(?<=\p{Script=Cyrillic})[\p{Script=Latin}\p{Script=Greek}]/gu,
]

/** 0 to 100, from the vowel and tone signs, which stand above or below a consonant; few other texts read as Thai have them so. */
export function thaiConfidence(text: string): number {
  const thai = text.match(/[\u0e01-\u0e5b]/g)?.length ?? 0
  const other = text.match(/[\u0080-\u0e00\u0e5c-\uffff]/g)?.length ?? 0
  const signs = text.match(/[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]/g)?.length ?? 0
  const placed = text.match(/(?<=[\u0e01-\u0e2e\u0e31\u0e34-\u0e39])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]/g)?.length ?? 0
  return other * 20 > thai || signs * 10 < thai || placed < signs * 0.95 ? 0 : 90
}
