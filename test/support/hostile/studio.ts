import { makeSignInLink } from '../../../src/pipeline/sign-in/sign-in-link.ts'
import { editionsByStatus } from '../../../src/store/editions/editions.ts'
import type { World } from '../world.ts'

/** The digest of the hostile feeds. */
export const hostileDigest = 'hostile'

/** An editor who waits until the edition of the hostile feeds is sealed, and then opens every page of it. */
export class StudioVisit {
  readonly #it: World
  chosen = 0
  readonly pages: Record<string, number> = {}
  #visit: Promise<void> | undefined
  #isOver = false

  constructor(it: World) {
    this.#it = it
  }

  /** Returns whether all pages have come; throws what went wrong with one. Begins with the first edition that is sealed. */
  async hasShownEdition(url: string): Promise<boolean> {
    const { db } = this.#it.app
    const [edition] = await editionsByStatus(db, ['sealed', 'held'], hostileDigest)
    if (edition && !this.#visit) {
      this.#visit = this.#open(url, edition.id).finally(() => {
        this.#isOver = true
      })
      this.#visit.catch(() => {}) // whoever asks next is told
    }
    if (this.#isOver) await this.#visit
    return this.#isOver
  }

  async #open(url: string, id: string): Promise<void> {
    const choices = this.#it.app.db.selectFrom('choices').select('position').where('editionId', '=', id)
    this.chosen = (await choices.where('position', 'is not', null).execute()).length
    const cookie = await this.#signIn(url)
    const paths = ['', `/editions/${id}`, `/editions/${id}/preview`, `/editions/${id}/progress`, '/letters']
    for (const path of paths) {
      const response = await fetch(`${url}/studio${path}`, { headers: { cookie } })
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
      this.pages[path.replace(id, 'ID')] = (await response.arrayBuffer()).byteLength
    }
  }

  async #signIn(url: string): Promise<string> {
    const { pathname } = new URL(await makeSignInLink(this.#it.app, 'editor'))
    const headers = { origin: url, 'sec-fetch-site': 'same-origin' }
    const response = await fetch(url + pathname, { method: 'POST', headers, redirect: 'manual' })
    const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';')
    if (!cookie) throw new Error(`signing in was answered with ${response.status}`)
    return cookie
  }
}
