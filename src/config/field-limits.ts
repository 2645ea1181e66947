/**
 * The longest value of every field that enters from a feed or a page, in characters (UTF-16 units), for all formats.
 * A text that is longer is cut at a word, with an ellipsis; an address that is longer is no address, for a part of it
 * leads elsewhere. `identity` is the guid or link by which an article is known: one that is longer is kept as its hash.
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
  /** RFC 5646 §4.4.1 asks for 35 characters; what is longer is no name of a language. */
  language: 35,
  correctionNote: 900,
  bodyText: 8000,
  bodyHtml: 40_000,
  /** Of a rejection: enough to find the entry. */
  rejected: 500,
  /** Of any text before it is read: nobody's article is longer. */
  rawText: 1024 * 1024,
}

/** Links, categories, authors, pictures or texts of one kind in one entry. What comes after them is not read. */
export const maxPerEntry = 50
export const maxCategories = 30

/** Entries that are read of a feed. */
export const maximumEntries = 5000
