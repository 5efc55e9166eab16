import { Redis } from 'ioredis';
import { OptionError, RelflowError } from '../errors.js';

/** How to reach the server that holds the queues. */
export interface QueueServer {
  /** Without the password, for messages. */
  readonly name: string;
  readonly options: ConnectionSettings;
}

/** What both BullMQ and ioredis take. */
interface ConnectionSettings {
  host: string;
  port: number;
  db: number;
  username?: string;
  password?: string;
  tls?: { servername: string };
  maxRetriesPerRequest: null;
  retryStrategy: (times: number) => number;
}

/** Longest pause between two attempts to reach a server that has gone. */
const MAX_PAUSE_MILLISECONDS = 2000;

/**
 * Reads the address of a Redis or Valkey server: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS.
 *
 * @throws OptionError where it is none
 */
export function queueServer(address: string): QueueServer {
  const url = URL.canParse(address) ? new URL(address) : null;
  const db = url && /^\/\d*$/.test(url.pathname || '/') ? Number(url.pathname.slice(1)) : Number.NaN;
  if (!url?.hostname || !['redis:', 'rediss:'].includes(url.protocol) || Number.isNaN(db)) {
    // An address that can't be read may hold a password in any place.
    throw new OptionError('queue', 'the address can’t be read, expected redis://host:port or rediss://host:port');
  }
  const port = url.port === '' ? 6379 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    name: `${url.protocol}//${url.hostname}:${port}${db > 0 ? `/${db}` : ''}`,
    options: {
      host,
      port,
      db,
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(url.password && { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' && { tls: { servername: host } }),
      // A server that restarts is waited for, however long it takes.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(times * 100, MAX_PAUSE_MILLISECONDS),
    },
  };
}

/**
 * Makes sure that the server answers.
 * @throws RelflowError `bad-queue` where it does not
 */
export async function checkServer({ name, options }: QueueServer): Promise<void> {
  const probe = new Redis({
    ...options,
    lazyConnect: true,
    connectTimeout: 5000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let reason: Error | null = null;
  probe.on('error', (error: Error) => {
    reason = error;
  });
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    const problem = ((reason ?? error) as Error).message || (error as Error).message;
    throw new RelflowError('bad-queue', `${name}: can't be reached: ${problem}`, { server: name }, { cause: error });
  } finally {
    probe.disconnect();
  }
}
