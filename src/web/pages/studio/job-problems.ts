import { jobReaders } from '../../../store/system/job-readers.ts'
import { momentFormatter } from '../../format.ts'
import type { Web } from '../../response.ts'

/** The job files that a running `start` refuses, each as one sentence for the editors; none: all are taken over. */
export async function jobProblems({ app }: Web): Promise<string[]> {
  const readers = await jobReaders(app.db, app.clock.now())
  const moment = momentFormatter(app.digests[0]?.zone)
  const sentences = readers.flatMap(({ rejected }) =>
    rejected.map(({ file, message, since, runsBy }) => {
      const meanwhile =
        runsBy === null
          ? 'it is left out until it is mended'
          : `the digest runs by the version of ${moment(runsBy).text}`
      return `${file} has an error since ${moment(since).text}; ${meanwhile}. ${message}`
    }),
  )
  return [...new Set(sentences)]
}
