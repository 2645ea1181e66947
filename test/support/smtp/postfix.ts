import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { freePort, listens } from '../ports.ts'

export type Postfix = {
  port: number
  /** Resolves when nothing is left in its queue. */
  emptied(): Promise<void>
  log(): string
  close(): Promise<void>
}

const postconf = '/usr/sbin/postconf'

/** Why no Postfix can be started here; undefined where one can. */
export function missingPostfixReason(): string | undefined {
  if (!existsSync(postconf)) return 'Postfix is not installed'
  return userInfo().uid === 0 ? undefined : 'Postfix can be started by root alone'
}

/**
 * Starts the Postfix of this machine with a configuration, a queue and a port of its own; the machine's own Postfix is
 * neither read nor changed. It offers STARTTLS with the certificate of `localhost`, takes mail from this machine for
 * anybody, and passes it to the SMTP server at `nextHop`. `settings` are lines of its main.cf.
 */
export async function startPostfix(nextHop: number, settings: Record<string, string> = {}): Promise<Postfix> {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-postfix-'))
  chmodSync(folder, 0o755) // its daemons are not root
  const port = await freePort()
  makeFolders(folder)
  writeFileSync(join(folder, 'config/main.cf'), mainCf(folder, nextHop, settings))
  writeFileSync(join(folder, 'config/master.cf'), masterCf(port))
  const daemons = execFileSync(postconf, ['-d', '-h', 'daemon_directory'], { encoding: 'utf8' }).trim()
  const master = spawn(join(daemons, 'master'), ['-d', '-c', join(folder, 'config')], {
    stdio: 'ignore',
    detached: true,
  })
  const log = () => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '')
  while (!(await listens(port))) if (hasEnded(master)) throw new Error(`Postfix ended: ${log()}`)
  return {
    port,
    log,
    async emptied() {
      while (['maildrop', 'incoming', 'active', 'deferred'].some((name) => holdsFiles(join(folder, 'queue', name))))
        await setImmediate()
    },
    async close() {
      const exit = once(master, 'exit')
      if (!hasEnded(master)) {
        master.kill()
        await exit
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

const spoolFolders = 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ')

/** Folders as Postfix wants them, with the owners that it insists on. */
function makeFolders(folder: string): void {
  for (const name of ['config', 'data', 'queue', 'queue/pid']) mkdirSync(join(folder, name))
  for (const name of [...spoolFolders, 'maildrop', 'public']) mkdirSync(join(folder, 'queue', name), { mode: 0o700 })
  copyFileSync('fixtures/tls/localhost.pem', join(folder, 'config/localhost.pem'))
  copyFileSync('fixtures/tls/localhost.key', join(folder, 'config/localhost.key'))
  const queue = (name: string) => join(folder, 'queue', name)
  execFileSync('chown', ['postfix', join(folder, 'data'), ...[...spoolFolders, 'maildrop', 'public'].map(queue)])
  execFileSync('chgrp', ['postdrop', queue('maildrop'), queue('public')])
  chmodSync(queue('maildrop'), 0o1730)
  chmodSync(queue('public'), 0o2710)
}

function mainCf(folder: string, nextHop: number, settings: Record<string, string>): string {
  const lines = {
    compatibility_level: '3.6',
    queue_directory: join(folder, 'queue'),
    data_directory: join(folder, 'data'),
    maillog_file: join(folder, 'log'),
    maillog_file_prefixes: folder,
    myhostname: 'localhost',
    mydestination: '',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '127.0.0.0/8',
    alias_maps: '',
    smtpd_relay_restrictions: 'permit_mynetworks, reject',
    smtpd_peername_lookup: 'no',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: join(folder, 'config/localhost.pem'),
    smtpd_tls_key_file: join(folder, 'config/localhost.key'),
    smtpd_tls_loglevel: '1',
    relayhost: `[127.0.0.1]:${nextHop}`,
    smtp_tls_security_level: 'none',
    smtp_host_lookup: 'native',
    ...settings,
  }
  return Object.entries(lines)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('')
}

/** Each service as in the master.cf that Postfix comes with, without chroot. */
function masterCf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup    unix  n  -  n  -     0  cleanup
qmgr       unix  n  -  n  300   1  qmgr
tlsmgr     unix  -  -  n  1000? 1  tlsmgr
rewrite    unix  -  -  n  -     -  trivial-rewrite
bounce     unix  -  -  n  -     0  bounce
defer      unix  -  -  n  -     0  bounce
trace      unix  -  -  n  -     0  bounce
verify     unix  -  -  n  -     1  verify
flush      unix  n  -  n  1000? 0  flush
proxymap   unix  -  -  n  -     -  proxymap
smtp       unix  -  -  n  -     -  smtp
relay      unix  -  -  n  -     -  smtp
error      unix  -  -  n  -     -  error
retry      unix  -  -  n  -     -  error
discard    unix  -  -  n  -     -  discard
anvil      unix  -  -  n  -     1  anvil
scache     unix  -  -  n  -     1  scache
postlog    unix-dgram n - n  -  1  postlogd
`
}

function holdsFiles(folder: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile())
}
