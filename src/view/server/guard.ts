import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { ApiError } from '../view-api.js';

/** What the page may load and run: nothing but what comes from this server. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

/** Makes the token of a server: a request that has it may read and review the set. */
export const newToken = (): string => randomBytes(24).toString('base64url');

/**
 * Lets requests through that carry the token and come from the page itself. The link has the token once; a cookie carries it then,
 * or the header `Authorization: Bearer`. A page of another host can neither read nor write here: its requests name another host
 * or origin, and carry no cookie.
 */
export function guard(token: string, port: () => number): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(HEADERS)) context.header(name, value);
    const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${port()}`);
    const host = context.req.header('host') ?? '';
    if (!hosts.includes(host))
      return refuse(context, 403, 'bad-host', `the request is for '${host.slice(0, 100)}', expected ${hosts[0]}`);
    const origin = context.req.header('origin');
    const site = context.req.header('sec-fetch-site');
    const isWrite = !['GET', 'HEAD'].includes(context.req.method);
    const isForeign = origin !== undefined && origin !== `http://${host}`;
    const isNavigation = context.req.header('sec-fetch-mode') === 'navigate' && !isWrite;
    const isOtherSite = site !== undefined && site !== 'same-origin' && site !== 'none' && !isNavigation;
    if (isForeign || isOtherSite || (isWrite && origin === undefined && site === undefined && !bearer(context)))
      return refuse(context, 403, 'bad-origin', 'the request comes from another page, expected one from this server');
    const cookie = `relflow-view-${port()}`;
    const linked = context.req.query('token');
    const given = linked ?? bearer(context) ?? getCookie(context, cookie);
    if (given === undefined || !isSame(given, token))
      return refuse(
        context,
        403,
        'bad-token',
        'the token is missing or wrong: open the link that relflow view printed',
      );
    if (linked !== undefined && context.req.method === 'GET' && !context.req.path.startsWith('/api/')) {
      // The token leaves the address, so that neither the history nor a copied link has it.
      setCookie(context, cookie, token, { httpOnly: true, sameSite: 'Lax', path: '/' });
      const url = new URL(context.req.url);
      url.searchParams.delete('token');
      return context.redirect(`${url.pathname}${url.search}`, 303);
    }
    await next();
    return undefined;
  };
}

/** Answers with an error. */
export function refuse(
  context: Context,
  status: 400 | 403 | 404 | 409 | 413 | 500,
  code: string,
  error: string,
): Response {
  return context.json({ error, code } satisfies ApiError, status);
}

function bearer(context: Context): string | undefined {
  return /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '')?.[1];
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
