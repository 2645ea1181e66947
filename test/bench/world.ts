import { writeFileSync } from 'node:fs'
import { trustLocalhost } from '../../src/demo/localhost-tls.ts'
import { compose } from '../../src/editions/compose/compose.ts'
import { approve } from '../../src/editions/review/approve.ts'
import { seal } from '../../src/editions/seal.ts'
import { addSubscribers } from '../../src/store/subscribers/subscribers.ts'
import { systemClock } from '../../src/time/clock.ts'
import { newsFeed, openWorld, plainRender, publishTitles } from '../support/world.ts'

type BenchWorldOptions = {
  folder: string
  /** Of the store; a file of SQLite in the folder if absent. */
  storeUrl?: string | undefined
  port: number
  recipients: number
  dkim: { domain: string; selector: string; key: string }[]
  connections: number
  security: 'none' | 'starttls'
  address: (index: number) => string
  html: string
  text: string
  footer: (key: string) => string
}

/** Writes a store with so many subscribers and one approved edition of the given size, and where it is. */
export async function prepareWorld(wanted: BenchWorldOptions) {
  const { app, digest } = await openWorld({
    storeUrl: wanted.storeUrl ?? `file:${wanted.folder}/lastword.db`,
    relayPort: wanted.port,
    relay: {
      ...trustLocalhost,
      security: wanted.security,
      connections: wanted.connections,
      dkim: wanted.dkim,
    },
    clock: { ...systemClock, set() {}, advance() {} },
  })
  const world = { app, digest, clock: { ...systemClock, set() {}, advance() {} }, folder: '', close: app.close }
  await publishTitles(world, newsFeed, ['One', 'Two', 'Three'])
  const person = (index: number) => {
    const email = wanted.address(index)
    return { email, emailKey: email, name: `Reader ${index}`, attributes: {}, proof: 'bench' }
  }
  for (let start = 0; start < wanted.recipients; start += 1000) {
    const people = Array.from({ length: Math.min(1000, wanted.recipients - start) }, (_, index) =>
      person(start + index),
    )
    await addSubscribers(app.db, digest.name, people, systemClock.now())
  }
  const edition = await compose(app, digest, systemClock.now())
  const render: typeof plainRender = async (draft) => ({
    ...(await plainRender(draft)),
    html: wanted.html + wanted.footer(draft.slot),
    text: wanted.text + wanted.footer(draft.slot),
  })
  await seal({ ...app, render }, edition?.id ?? '', digest)
  await approve(app, edition?.id ?? '', 'bench')
  const prepared = { config: app.config, id: edition?.id, recipients: wanted.recipients }
  writeFileSync(`${wanted.folder}/world.json`, JSON.stringify(prepared))
  await app.close()
}
