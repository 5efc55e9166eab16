import { OptionError, RelflowError } from '../errors.js';
import { Redis } from './queue-packages.js';

/** Server of the queues and how to reach it. */
export interface QueueServer {
  /** Address without the password, for messages. */
  readonly name: string;
  readonly options: ConnectionSettings;
  /** Secret with which jobs are signed, and without whose signature workers refuse them; undefined for none. */
  readonly secret: string | undefined;
}

/** Options of `queueServer`. */
export interface QueueServerOptions {
  /** Secret of at least 16 characters that those who submit runs and their workers share. Default: `RELFLOW_QUEUE_SECRET`. */
  readonly secret?: string;
}

/** Connection options that both BullMQ and ioredis accept. */
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

const MIN_SECRET = 16;
/** Longest pause between two attempts to reconnect. */
const MAX_PAUSE_MILLISECONDS = 2000;

/**
 * Parses the address of a Redis or Valkey server: `redis://[user:password@]host[:port][/database]`, `rediss://` for TLS.
 *
 * @throws OptionError when the address is invalid or the secret is too short
 * @example
 * ```ts
 * import { checkServer, queueServer } from 'relflow/queue';
 *
 * const server = queueServer('redis://:password@queue:6379');
 * await checkServer(server);
 * ```
 */
export function queueServer(address: string, options: QueueServerOptions = {}): QueueServer {
  const secret = options.secret ?? (process.env['RELFLOW_QUEUE_SECRET'] || undefined);
  if (secret !== undefined && secret.length < MIN_SECRET)
    throw new OptionError('queue', `the secret has ${secret.length} characters, expected at least ${MIN_SECRET}`);
  const url = URL.canParse(address) ? new URL(address) : null;
  const db = url && /^\/\d*$/.test(url.pathname || '/') ? Number(url.pathname.slice(1)) : Number.NaN;
  if (!url?.hostname || !['redis:', 'rediss:'].includes(url.protocol) || Number.isNaN(db)) {
    // The message omits the address: an invalid one may contain a password anywhere.
    throw new OptionError('queue', 'invalid address, expected redis://host:port or rediss://host:port');
  }
  const port = url.port === '' ? 6379 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return {
    name: `${url.protocol}//${url.hostname}:${port}${db > 0 ? `/${db}` : ''}`,
    secret,
    options: {
      host,
      port,
      db,
      ...(url.username && { username: decodeURIComponent(url.username) }),
      ...(url.password && { password: decodeURIComponent(url.password) }),
      ...(url.protocol === 'rediss:' && { tls: { servername: host } }),
      // Reconnects until a server that restarts is back.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => Math.min(times * 100, MAX_PAUSE_MILLISECONDS),
    },
  };
}

/**
 * Checks that a server responds.
 *
 * @throws RelflowError `bad-queue` when it does not
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
    throw new RelflowError('bad-queue', `${name}: cannot be reached: ${problem}`, { server: name }, { cause: error });
  } finally {
    probe.disconnect();
  }
}
