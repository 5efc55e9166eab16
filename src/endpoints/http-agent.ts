import type { Dispatcher } from 'undici';
import { OptionError } from '../errors.js';

const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** Servers on this machine are never asked through a proxy, which could not reach them. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

let agent: Promise<Dispatcher> | undefined;

/**
 * Returns the agent with the connections of this process: through the proxies of `HTTP_PROXY` and `HTTPS_PROXY`, except for the
 * hosts of `NO_PROXY` and this machine itself. Idle connections do not keep the process alive.
 *
 * @throws OptionError if the environment has an address that is none of a proxy
 */
export function httpAgent(): Promise<Dispatcher> {
  agent ??= createHttpAgent(process.env);
  return agent;
}

/** Returns a new agent for the proxies of an environment. */
export async function createHttpAgent(environment: Readonly<Record<string, string | undefined>>): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  // The request policy limits the time of a request.
  const options = { headersTimeout: 0, bodyTimeout: 0 };
  const exceptions = environment.no_proxy ?? environment.NO_PROXY ?? '';
  const named = PROXY_VARIABLES.filter((variable) => environment[variable]);
  if (named.length === 0 || exceptions.trim() === '*') return new Agent(options);
  for (const variable of named) checkProxy(variable, environment[variable]!);
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: environment.http_proxy ?? environment.HTTP_PROXY ?? '',
    httpsProxy: environment.https_proxy ?? environment.HTTPS_PROXY ?? '',
    noProxy: [exceptions, ...LOOPBACK].join(','),
  });
}

/** Refuses an address that is none of a proxy. It is not repeated, since it may have a password. */
function checkProxy(variable: string, address: string): void {
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new OptionError(variable, 'is not the address of a proxy, expected for example http://proxy:3128');
}
