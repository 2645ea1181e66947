import { get as request } from 'node:http'
import { text } from 'node:stream/consumers'

/** A plain GET: unlike `fetch`, it adds no header of its own and hides nothing of the answer. */
export function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject)
    }).on('error', reject)
  })
}
