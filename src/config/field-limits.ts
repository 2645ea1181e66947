/**
 * The maximum length of each field of a feed or page, in UTF-16 units. A longer text is cut at a word with an ellipsis, a
 * longer address is rejected, and a longer `identity` (the guid or link of an article) is replaced by its hash.
 */
export const maxLength = {
  address: 2000,
  identity: 2000,
  title: 500,
  summary: 320,
  author: 300,
  person: 200,
  category: 100,
  pictureText: 300,
  feedTitle: 300,
  /** RFC 5646 §4.4.1. */
  language: 35,
  correctionNote: 900,
  bodyText: 8000,
  bodyHtml: 40_000,
  /** The link and guid of a rejected entry. */
  rejected: 500,
  /** Any text before it is parsed. */
  rawText: 1024 * 1024,
}

/** Links, categories, authors, pictures or texts of an entry; the rest is not read. */
export const maxPerEntry = 50
export const maxCategories = 30

/** Entries of a feed; the rest is not read. */
export const maximumEntries = 5000
