import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectSecurely } from 'node:tls'
import { trustLocalhost } from '../../src/demo/localhost-tls.ts'
import type { Measured, Order, SenderName } from './send.ts'

const address = (index: number) => `reader${String(index).padStart(7, '0')}@readers.example`

/** A digest of 55 KB: forty pieces with links, as HTML and as text. */
const item = (index: number) =>
  `<tr><td style="padding:12px 24px;font-family:Georgia,serif;font-size:17px;line-height:1.5;color:#1c1c1c">
  <a href="https://magazine.example/2026/11/${index}?ref=weekly" style="color:#0b4f6c;text-decoration:none">Piece ${index}: what the council decided</a>
  <p style="margin:8px 0 0">${'The bridge is open again and the trams run every ten minutes. '.repeat(14)}</p></td></tr>\n`
const html = `<!doctype html><html lang="en"><body><table>${Array.from({ length: 44 }, (_, index) => item(index)).join('')}</table>\n`
const text = Array.from(
  { length: 44 },
  (_, index) => `Piece ${index}\nhttps://magazine.example/2026/11/${index}\n`,
).join('\n')
const footer = (key: string) => `<a href="https://letters.magazine.example/leave/${key}">Leave</a></body></html>\n`

type Run = (order: Order) => Promise<() => Promise<void>>

/** Each prepares, and returns what is measured. */
const senders: Record<SenderName, Run> = {
  prepare,
  lastword,
  nodemailerPool,
  limit,
}

/** The whole product: audience frozen, ledger in SQLite, claims, copies, answers recorded. */
async function lastword({ folder }: Order) {
  const { app, id, recipients } = await openPrepared(folder)
  const { openSender } = await import('../../src/pipeline/sending/sender.ts')
  const { sendEdition } = await import('../../src/pipeline/sending/send.ts')
  const sender = await openSender(app)
  return async () => {
    const report = await sendEdition(app, sender, id, { unknown: 'repeat' })
    if (!report.finished || report.counts.accepted !== recipients) throw new Error(JSON.stringify(report))
    await sender.close()
    await app.close()
  }
}

/** What the product works on is made in a process of its own, so that it is not measured. */
async function prepare({ port, recipients, folder, key, signed, tls, storeUrl, connections }: Order) {
  const { prepareWorld } = await import('./world.ts')
  const dkim = signed ? [{ domain: 'magazine.example', selector: 'a', key }] : []
  const security = tls ? 'starttls' : 'none'
  await prepareWorld({ folder, storeUrl, port, recipients, dkim, connections, security, address, html, text, footer })
  return async () => {}
}

async function openPrepared(folder: string) {
  const { openApp } = await import('../../src/app.ts')
  const { silentLog } = await import('../../src/log.ts')
  const { config, id, recipients } = JSON.parse(readFileSync(join(folder, 'world.json'), 'utf8'))
  return { app: await openApp({ config, log: silentLog }), id: id as string, recipients: recipients as number }
}

/** nodemailer's pool as everybody uses it: HTML and text for each message. */
async function nodemailerPool({ port, recipients, key, signed, tls, connections }: Order) {
  const { createTransport } = await import('nodemailer')
  const dkim = { domainName: 'magazine.example', keySelector: 'a', privateKey: key }
  const pool = createTransport({
    pool: true,
    host: '127.0.0.1',
    port,
    secure: false,
    requireTLS: tls,
    ignoreTLS: !tls,
    tls: trust(),
    maxConnections: connections,
    ...(signed && { dkim }),
  })
  return async () => {
    let next = 0
    const work = async () => {
      while (next < recipients) {
        const index = next++
        const token = String(index).padStart(48, '0')
        await pool.sendMail({
          from: '"The Weekly" <weekly@magazine.example>',
          to: { name: `Reader ${index}`, address: address(index) },
          replyTo: 'letters@magazine.example',
          subject: 'One · The Weekly 31',
          html: html + footer(token),
          text: text + footer(token),
          headers: {
            'List-Unsubscribe': `<https://letters.magazine.example/leave/${token}>`,
            'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          },
        })
      }
    }
    await Promise.all(Array.from({ length: connections }, work))
    pool.close()
  }
}

/** One constant message and the next envelope behind its dot (RFC 2920): nothing that sends can be faster. */
async function limit({ port, recipients, tls, connections }: Order) {
  const { quotedPrintable } = await import('../../src/mail/quoted-printable.ts')
  const body = Buffer.concat([...quotedPrintable(text, '\0'), ...quotedPrintable(html, '\0')])
  const envelope = 'MAIL FROM:<a@magazine.example>\r\nRCPT TO:<reader@readers.example>\r\nDATA\r\n'
  const message = Buffer.concat([Buffer.from('Subject: one\r\n\r\n'), body, Buffer.from(`\r\n.\r\n${envelope}`)])
  const last = message.subarray(0, -envelope.length)
  return async () => {
    let begun = 0
    const work = async () => {
      const socket = await greeted(port, tls)
      let mine = begun++ < recipients
      socket.write('EHLO bench\r\n')
      socket.on('data', (chunk) => {
        if (chunk.includes('PIPELINING')) socket.write(envelope)
        else if (chunk.includes('354')) {
          mine = begun++ < recipients
          socket.write(mine ? message : last)
        } else if (chunk.includes('taken') && !mine) socket.end('QUIT\r\n')
      })
      await once(socket, 'close')
    }
    await Promise.all(Array.from({ length: connections }, work))
  }
}

const trust = () => ({ servername: trustLocalhost.tlsServerName, ca: readFileSync(trustLocalhost.ca) })

/** A connection that has had its greeting, and has been secured where that is wanted. */
async function greeted(port: number, tls: boolean): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'data')
  if (!tls) return socket
  socket.write('STARTTLS\r\n')
  await once(socket, 'data')
  return connectSecurely({ socket, ...trust() })
}

process.once('message', async (order: Order) => {
  const run = await senders[order.sender](order)
  const before = process.cpuUsage()
  const began = performance.now()
  await run()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  const measured: Measured = {
    messagesPerSecond: order.recipients / seconds,
    cpuSecondsPerThousand: (user + system) / 1e6 / (order.recipients / 1000),
    peakMemoryMb: process.resourceUsage().maxRSS / 1024,
  }
  process.send?.(measured, () => process.disconnect())
})
