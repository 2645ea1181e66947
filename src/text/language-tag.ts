export const languageTagMessage = 'expected a language tag such as "en-GB"'

/** A language tag (BCP 47) in the form that people write; `isLanguageTag` also finds what the form cannot. */
export const languageTagPattern = /^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/

/** Whether dates and numbers can be formatted for the tag. */
export function isLanguageTag(text: string): boolean {
  try {
    return languageTagPattern.test(text) && Intl.getCanonicalLocales(text).length === 1
  } catch {
    return false
  }
}
