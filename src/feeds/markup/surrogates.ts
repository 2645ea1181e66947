/**
 * The text with each character that is written as two numeric halves (`&#55357;&#56832;`, also escaped twice) as one
 * reference (`&#128512;`). A half alone stays, and is decoded as U+FFFD (HTML §13.2.5.80).
 */
export function joinSurrogateHalves(text: string): string {
  return text.replace(halves, (whole, start: string, hex: string, decimal: string, hexLow: string, low: string) => {
    const [first, second] = [codeOf(hex, decimal), codeOf(hexLow, low)]
    if (first < 0xd800 || first > 0xdbff || second < 0xdc00 || second > 0xdfff) return whole
    return `${start}${0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00)};`
  })
}

const halves =
  /(&(?:amp;){0,2}#)(?:x(d[89ab][\da-f]{2})|(5[56]\d{3}));&(?:amp;){0,2}#(?:x(d[c-f][\da-f]{2})|(5[67]\d{3}));/gi

function codeOf(hex: string | undefined, decimal: string | undefined): number {
  return hex ? Number.parseInt(hex, 16) : Number(decimal)
}
