import { jobReaders } from '../../../store/system/job-readers.ts'
import { momentFormatter } from '../../format.ts'
import type { Web } from '../../response.ts'

/** One sentence for each job file that the running `start` rejected. */
export async function jobProblems({ app }: Web): Promise<string[]> {
  const readers = await jobReaders(app.db, app.clock.now())
  const moment = momentFormatter(app.digests[0]?.zone)
  const sentences = readers.flatMap(({ rejected }) =>
    rejected.map(({ file, message, since, runsBy }) => {
      const effect =
        runsBy === null
          ? 'It is not used until someone fixes it.'
          : `The newsletter still uses the version of ${moment(runsBy).text}.`
      return `${file} has had an error since ${moment(since).text}. ${effect} ${message}`
    }),
  )
  return [...new Set(sentences)]
}
