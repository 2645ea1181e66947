import { simpleParser } from 'mailparser'
import { afterEach, expect, test } from 'vitest'
import { Relay } from '../../../src/deliveries/relays/relay.ts'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { ignoreFeed } from '../../../src/editions/stories/flood-decision.ts'
import { addFeedNotices } from '../../../src/pipeline/notices/feed-trouble.ts'
import { type OutboxSender, sendOutbox } from '../../../src/pipeline/outbox.ts'
import { recordFailure, recordSuccess } from '../../../src/store/feeds/feed-polls.ts'
import { feedByUrl } from '../../../src/store/feeds/feeds.ts'
import { addMs, day, hour, minute } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { feedHistory } from '../../support/history.ts'
import { type Stage, startRelay, type TestRelay } from '../../support/smtp/relay.ts'
import { newsFeed, openWorld, opinionFeed, publishTitles, type World } from '../../support/world.ts'

let closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

onBothEngines('watching feeds', (freshUrl) => {
  async function open(faultAt: (stage: Stage) => string | undefined = () => undefined, editors?: string) {
    const server = await startRelay(faultAt)
    const world = await openWorld({ storeUrl: await freshUrl(), relayPort: server.port })
    if (editors) world.app.config.publication.editors = editors
    const relay = new Relay(world.app.config.relay)
    closing.push(server.close, world.close, () => relay.close())
    await publishTitles(world, newsFeed, ['One'])
    await publishTitles(world, opinionFeed, ['Two'])
    return { server, world, relay }
  }

  test('the editors are told once of a feed that fails for longer than its rule, and again of a new trouble only', async () => {
    const { server, world, relay } = await open()
    await failFor(world, newsFeed, day - minute)
    expect(await sendFeedNotices(world.app, relay)).toBe(0)
    world.clock.advance(minute)
    await rounds(world, relay, 5)
    expect(await mails(server)).toEqual([
      expect.objectContaining({
        subject: 'The Magazine: the feed The Magazine fails',
        to: 'letters@magazine.example',
        text: expect.stringContaining('It has failed for 24 h (once): magazine.example answered 500.'),
      }),
    ])
    await succeed(world, newsFeed)
    await rounds(world, relay, 2)
    await failFor(world, newsFeed, 25 * hour)
    await rounds(world, relay, 2)
    expect(server.accepted).toHaveLength(2)
    expect((await feedHistory(world.app.db)).map(({ what }) => what)[0]).toContain(
      'Editors were notified that it has failed',
    )
  })

  test('a silent feed that fails now and then, for less than its rule, is told of once, until something new comes', async () => {
    const { server, world, relay } = await open()
    await makeSilent(world, newsFeed)
    for (let days = 0; days < 4; days++) {
      await rounds(world, relay, 1)
      await failFor(world, newsFeed, hour)
      await rounds(world, relay, 1)
      await makeSilent(world, newsFeed)
      world.clock.advance(day)
    }
    await failFor(world, newsFeed, 25 * hour)
    await rounds(world, relay, 2)
    await makeSilent(world, newsFeed)
    await rounds(world, relay, 2)
    expect((await mails(server)).map(({ subject }) => subject)).toEqual([
      'The Magazine: the feed The Magazine fell silent',
      'The Magazine: the feed The Magazine fails',
    ])
    await recover(world, newsFeed)
    await rounds(world, relay, 1)
    await makeSilent(world, newsFeed)
    await rounds(world, relay, 2)
    expect((await mails(server)).at(-1)?.subject).toBe('The Magazine: the feed The Magazine fell silent')
    expect(server.accepted).toHaveLength(3)
  })

  test('a feed whose articles wait for an editor is told of once, each time that some do', async () => {
    const { server, world, relay } = await open()
    await addArticlesToLedger(world.app, world.digest)
    const storm = async (name: string) => {
      world.clock.advance(40 * day)
      await publishTitles(
        world,
        newsFeed,
        Array.from({ length: 40 }, (_, index) => `${name} ${1900 + index}`),
      )
      await addArticlesToLedger(world.app, world.digest)
      await rounds(world, relay, 3)
    }
    await storm('Archive of')
    const [mail, ...others] = await mails(server)
    expect(others).toEqual([])
    expect(mail?.subject).toBe('The Magazine: the feed The Magazine waits for you')
    expect(mail?.text).toContain('It has 40 articles that wait for an editor: 40 new articles at once, where')
    expect(mail?.text).toContain('They are not sent until one of you says')
    await failFor(world, newsFeed, hour)
    await rounds(world, relay, 2)
    expect(server.accepted).toHaveLength(1)
    await ignoreFeed(world.app, newsFeed, 'mira')
    await rounds(world, relay, 2)
    await storm('Once more')
    expect(server.accepted).toHaveLength(2)
  })

  test('several troubles are one letter, to the editors where they have an address of their own', async () => {
    const { server, world, relay } = await open(undefined, 'desk@magazine.example')
    await failFor(world, newsFeed, 2 * day)
    await makeSilent(world, opinionFeed)
    await rounds(world, relay, 3)
    const [mail, ...others] = await mails(server)
    expect(others).toEqual([])
    expect(mail).toMatchObject({ subject: 'The Magazine: 2 feeds are in trouble', to: 'desk@magazine.example' })
    expect(mail?.text).toContain(newsFeed)
    expect(mail?.text).toContain('It has had nothing new for 9 days; it was never silent for longer than 7 days.')
    expect(mail?.text).toContain('https://letters.magazine.example/studio')
    expect(server.accepted[0]?.from).toBe('bounces@magazine.example')
  })

  test('a relay that does not take the letter is asked again, and then the editors are told', async () => {
    let down = true
    const { server, world, relay } = await open((stage) => (down && stage === 'RCPT' ? '451 4.3.0 later' : undefined))
    await failFor(world, newsFeed, 2 * day)
    expect(await sendFeedNotices(world.app, relay)).toBe(0)
    down = false
    await rounds(world, relay, 10)
    expect(server.accepted).toHaveLength(1)
  })

  test('an address that the relay refuses for good is not tried again', async () => {
    const { server, world, relay } = await open((stage) => (stage === 'RCPT' ? '550 5.1.1 nobody here' : undefined))
    await failFor(world, newsFeed, 2 * day)
    await rounds(world, relay, 20)
    expect(server.commands.filter((command) => command.startsWith('RCPT'))).toHaveLength(1)
    expect((await feedHistory(world.app.db)).map(({ what }) => what)).toEqual([
      expect.stringContaining('Editors could not be notified (550 5.1.1 nobody here) that it has failed for 2 days'),
    ])
  })

  test('two processes tell once', async () => {
    const { server, world, relay } = await open()
    await failFor(world, newsFeed, 2 * day)
    await Promise.all([
      sendFeedNotices(world.app, relay),
      sendFeedNotices(world.app, relay),
      sendFeedNotices(world.app, relay),
    ])
    expect(server.accepted).toHaveLength(1)
  })

  test('a feed whose job file is away for a while is told of once', async () => {
    const { server, world, relay } = await open()
    await failFor(world, newsFeed, 2 * day)
    await rounds(world, relay, 2)
    const { digests } = world.app
    world.app.digests = []
    await rounds(world, relay, 2)
    world.app.digests = digests
    await rounds(world, relay, 2)
    expect(server.accepted).toHaveLength(1)
  })

  test('of a feed that no digest lists nobody is told', async () => {
    const { server, world, relay } = await open()
    await publishTitles(world, 'https://elsewhere.example/feed', ['Three'])
    await failFor(world, 'https://elsewhere.example/feed', 2 * day)
    await rounds(world, relay, 2)
    expect(server.accepted).toEqual([])
  })
})

async function sendFeedNotices(app: World['app'], relays: OutboxSender['relays']): Promise<number> {
  await addFeedNotices(app)
  return await sendOutbox(app, { relays, signers: [] })
}

async function rounds({ app, clock }: World, relay: Relay, count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    await sendFeedNotices(app, relay)
    clock.advance(minute)
  }
}

async function idOf({ app }: World, url: string): Promise<string> {
  const feed = await feedByUrl(app.db, url)
  if (!feed) throw new Error('no feed')
  return feed.id
}

async function failFor(world: World, url: string, length: number): Promise<void> {
  const since = addMs(world.clock.now(), -length)
  const error = { code: 'feed-status' as const, status: 500, message: 'magazine.example answered 500' }
  await recordFailure(world.app.db, await idOf(world, url), error, since)
}

async function succeed(world: World, url: string): Promise<void> {
  await recordSuccess(world.app.db, await idOf(world, url), { etag: null, lastModified: null }, world.clock.now())
}

async function recover(world: World, url: string): Promise<void> {
  const success = { etag: null, lastModified: null, newestItemAt: world.clock.now() }
  await recordSuccess(world.app.db, await idOf(world, url), success, world.clock.now())
}

async function makeSilent(world: World, url: string): Promise<void> {
  const ago = (length: number) => addMs(world.clock.now(), -length)
  const pace = { firstItemAt: ago(90 * day), newestItemAt: ago(9 * day), longestSilence: (7 * day) / 1000 }
  const success = { etag: null, lastModified: null, ...pace }
  await recordSuccess(world.app.db, await idOf(world, url), success, world.clock.now())
}

async function mails(server: TestRelay) {
  const read = await Promise.all(server.accepted.map(({ raw }) => simpleParser(raw)))
  return read.map(({ subject, text }, index) => ({ subject, text, to: server.accepted[index]?.to }))
}
