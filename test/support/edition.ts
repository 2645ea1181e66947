import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { newsFeed, plainRender, publishTitles, type World } from './world.ts'

let stories = 0

/** An edition of new stories, approved; returns its id. */
export async function approvedEdition(it: World): Promise<string> {
  const number = ++stories
  it.clock.advance(1000) // a due time of its own
  await publishTitles(it, newsFeed, [`Harbour ${number}`, `Library ${number}`, `Council ${number}`])
  const id = (await compose(it.app, it.digest, it.clock.now()))?.id ?? ''
  await seal({ ...it.app, render: plainRender }, id, it.digest)
  await approve(it.app, id, 'Ada')
  return id
}

/** Subscribes these addresses, in this order. */
export async function subscribeAddresses({ app, digest, clock }: World, addresses: string[]): Promise<number> {
  const people = addresses.map((email) => ({ email, emailKey: email, name: '', attributes: {}, proof: 'test' }))
  return await addSubscribers(app.db, digest.name, people, clock.now())
}
