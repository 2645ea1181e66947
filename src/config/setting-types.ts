import { z } from 'zod'

/** A number, which the environment has as text. An empty `port:` stays an error, not port 0. */
export const numericSetting = <S extends z.ZodType>(schema: S) =>
  z.preprocess((given) => (typeof given === 'string' && given.trim() !== '' ? Number(given) : given), schema)

/** A boolean, which the environment has as text. */
export const booleanSetting = z.preprocess(
  (given) => (given === 'true' ? true : given === 'false' ? false : given),
  z.boolean('expected true or false'),
)

export const port = numericSetting(z.int().min(0).max(65_535))
