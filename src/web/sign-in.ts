import { randomBytes } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { App } from '../app.ts'
import { later, minute } from '../clock.ts'
import { addSession, addSignInLink, endSession, openSignInLink, useSignInLink } from '../store/staff.ts'
import { type Env, say, show, type Web } from './answer.ts'
import { giveCookie, hashOfToken, notCrossSite, ownForm, sessionLength, staffOnly, takeCookie } from './session.ts'
import { pathTo, urls } from './urls.ts'

const linkLength = 30 * minute

/**
 * Makes a link that signs `staff` in, once, within 30 minutes. The token has 256 random bits; the store keeps its
 * SHA-256 only, so that nobody who reads the store can sign in.
 */
export async function makeSignInLink(
  { db, clock, config }: Pick<App, 'db' | 'clock' | 'config'>,
  staff: string,
): Promise<string> {
  const now = clock.now()
  const token = newToken()
  await addSignInLink(db, { hash: hashOfToken(token), staff, createdAt: now, expiresAt: later(now, linkLength) })
  return config.web.url.replace(/\/+$/, '') + pathTo(urls.signIn, token)
}

export function signInPages(web: Web): Hono<Env> {
  return new Hono<Env>()
    .get(urls.signIn, (context) => offer(web, context))
    .post(urls.signIn, notCrossSite, (context) => signIn(web, context))
    .post(urls.signOut, staffOnly(web), ownForm(web), (context) => signOut(web, context))
}

async function offer(web: Web, context: Context<Env>): Promise<Response> {
  const staff = await openSignInLink(web.app.db, hashOf(context), web.app.clock.now())
  if (staff === undefined) return useless(web, context)
  return show(web, context, 'sign-in', { title: 'Sign in', staffNamed: staff })
}

async function signIn(web: Web, context: Context<Env>): Promise<Response> {
  const { db, clock } = web.app
  const now = clock.now()
  const token = newToken()
  const staff = await db.transaction().execute(async (trx) => {
    const staff = await useSignInLink(trx, hashOf(context), now)
    if (staff === undefined) return undefined
    await addSession(trx, {
      hash: hashOfToken(token),
      staff,
      createdAt: now,
      expiresAt: later(now, sessionLength),
    })
    return staff
  })
  if (staff === undefined) return useless(web, context)
  giveCookie(web, context, token)
  return context.redirect(web.base + urls.studio, 303)
}

async function signOut(web: Web, context: Context<Env>): Promise<Response> {
  if (context.var.session) await endSession(web.app.db, context.var.session.hash)
  takeCookie(web, context)
  context.set('session', undefined)
  const text = ['This browser has no session any more. To come back, make a new link where Lastword runs:']
  return say(web, context, 200, { title: 'You are signed out', text, command: 'lastword staff link' })
}

function useless(web: Web, context: Context<Env>): Response {
  return say(web, context, 404, {
    title: 'This sign-in link does not work',
    text: [
      'A sign-in link works once, and for 30 minutes. This one was used, is too old, or is not whole.',
      'Make a new one where Lastword runs:',
    ],
    command: 'lastword staff link',
  })
}

function newToken(): string {
  return randomBytes(32).toString('base64url')
}

function hashOf(context: Context<Env>): string {
  return hashOfToken(context.req.param('token') ?? '')
}
