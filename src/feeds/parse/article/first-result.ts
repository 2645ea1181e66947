/** The first result that is not empty. */
export function firstResult<From, To>(candidates: From[], read: (candidate: From) => To | null): To | null {
  for (const candidate of candidates) {
    const value = read(candidate)
    if (value) return value
  }
  return null
}
