import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { openSender, type Sender } from '../../src/pipeline/sending/sender.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { type RelayOptions, startRelay, type TestRelay } from './smtp/relay.ts'
import { newsFeed, openWorld, plainRender, publishTitles, type World, type WorldOptions } from './world.ts'

export type Ready = { it: World; relay: TestRelay; id: string; sender: Sender }

export type Person = { email: string; zone?: string | null }

type ReadyOptions = Omit<WorldOptions, 'relayPort'> & {
  people: Person[]
  faultAt?: Parameters<typeof startRelay>[0]
  /** Told of each connection of the relay that has ended. */
  onClose?: RelayOptions['onClose']
  /** When the edition is due; now if absent. */
  dueAt?: string
  findMx?: Parameters<typeof openSender>[1]
  /** Gets what is to be closed, in this order. */
  closing: (() => Promise<unknown>)[]
}

/** A world with these subscribers, a relay that may misbehave, a sender, and one approved edition. */
export async function readyToSend({
  people,
  faultAt,
  onClose,
  dueAt,
  findMx,
  closing,
  ...options
}: ReadyOptions): Promise<Ready> {
  const relay = await startRelay(faultAt, onClose && { onClose })
  closing.push(relay.close)
  const it = await openWorld({ ...options, relayPort: relay.port })
  closing.push(it.close)
  await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
  const rows = people.map(({ email, zone = null }) => ({
    email,
    emailKey: email.toLowerCase(),
    name: '',
    attributes: {},
    zone,
    proof: 'test',
  }))
  for (let start = 0; start < rows.length; start += 1000)
    await addSubscribers(it.app.db, it.digest.name, rows.slice(start, start + 1000), it.clock.now())
  const edition = await compose(it.app, it.digest, dueAt ?? it.clock.now())
  const id = edition?.id ?? ''
  await seal({ ...it.app, render: plainRender }, id, it.digest)
  await approve(it.app, id, 'Ada')
  const sender = await openSender(it.app, findMx)
  closing.push(sender.close)
  return { it, relay, id, sender }
}

/** So many people of a domain. */
export function peopleAt(domain: string, count: number): Person[] {
  return Array.from({ length: count }, (_, index) => ({
    email: `reader${String(index + 1).padStart(5, '0')}@${domain}`,
  }))
}
