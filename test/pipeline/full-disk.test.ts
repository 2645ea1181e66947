import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../../src/store/open.ts'
import { countActive } from '../../src/store/subscribers/subscribers.ts'
import { webApp } from '../../src/web/server.ts'
import { fakeClock } from '../support/clock.ts'
import { makeHome } from '../support/home.ts'
import { openWorld } from '../support/world.ts'

const folder = mkdtempSync(join(tmpdir(), 'lastword-small-disk-'))
const problem = mount()
if (problem) console.warn(`skipped: a disk of 3 MB cannot be mounted here: ${problem}`)
afterAll(() => {
  if (!problem) execFileSync('umount', [folder])
  rmSync(folder, { recursive: true })
})

/** Mounts a small disk on the folder; returns why not. */
function mount(): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test.skipIf(problem)(
  'a disk that fills up is called full by commands and /health, and nothing that was stored is lost',
  async () => {
    const url = `file:${join(folder, 'lastword.db')}`
    const home = makeHome({ environment: { LASTWORD_STORE__URL: url } })
    const rows = Array.from({ length: 5000 }, (_, row) => `reader${row}@a.example,${'x'.repeat(400)}`)
    home.write('people.csv', `email,about\n${rows.join('\n')}\n`)
    const interrupted = await home.lastword('subscribers', 'import', 'people.csv', '--create')
    expect(interrupted.code).toBe(1)
    expect(interrupted.stderr).toContain('the import was interrupted: the disk is full: ')
    expect(interrupted.stderr).not.toMatch(/please report|internal error|\bat .*:\d+:\d+/)
    const stored = Number(/([\d,]+) of the [\d,]+ rows/.exec(interrupted.stderr)?.[1]?.replace(',', ''))

    const world = await openWorld({ storeUrl: url })
    expect(await countActive(world.app.db, 'weekly')).toBe(stored)
    const filler = join(folder, 'filler')
    fill(filler)
    const write = world.app.db
      .insertInto('robots')
      .values({ origin: 'https://a.example', rules: 'x'.repeat(2_000_000), fetchedAt: world.clock.now() })
      .execute()
    await expect(write).rejects.toThrow(/^the disk is full: /)
    const health = await webApp(world.app).request('/health')
    expect([health.status, await health.json()]).toEqual([503, { status: 'not ok' }])
    expect(world.app.store.availability.outage).toMatchObject({ error: { kind: 'full' }, since: world.clock.now() })
    await world.close()

    home.write('others.csv', `email,about\n${rows.join('\n').replaceAll('reader', 'other')}\n`)
    const again = await home.lastword('subscribers', 'import', 'others.csv')
    expect(again.stderr).toMatch(/the disk is full: .*\nFree some space\. Nothing is lost\./)
    const ran = await home.lastword('run', 'weekly')
    for (const { stderr } of [again, ran]) expect(stderr).not.toMatch(/please report|internal error|\bat .*:\d+:\d+/)

    rmSync(filler)
    const { db, close } = await openStore(url, fakeClock())
    expect(await countActive(db, 'weekly')).toBeGreaterThanOrEqual(stored)
    await close()
    home.remove()
  },
)

/** Writes until nothing more goes on the disk. */
function fill(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(4_000_000))
  } catch {
    // it is full: that is what was wanted
  }
}
