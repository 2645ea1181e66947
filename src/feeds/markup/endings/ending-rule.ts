/** How software ends a text in a language of the web, with an example; the tests try each. */
export type EndingRule = { language: string; example: string; match: RegExp }
