import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { temporaryFolder } from './folders.js';

const PASSWORD = 'sesame';

/** Returns whether Redis is installed. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A Redis server on a free port, whose data survives a restart. It is stopped when the process exits. */
export class RedisServer {
  readonly host: string;
  readonly port: number;
  readonly #folder = temporaryFolder();
  #process: ChildProcess | null = null;

  private constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  static async start(host = '127.0.0.1'): Promise<RedisServer> {
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(host, await freePort());
      try {
        await server.#start();
        return server;
      } catch (error) {
        // Another process may have taken the port in the meantime.
        if (attempt === 5) throw error;
      }
    }
  }

  get url(): string {
    return `redis://:${PASSWORD}@${this.host}:${this.port}`;
  }

  /** Stops the server and starts it again, with its data, after a pause. */
  async restart(pauseMilliseconds: number): Promise<void> {
    await this.stop();
    await sleep(pauseMilliseconds);
    await this.#start();
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }

  async #start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', this.host, '--dir', this.#folder, '--save', ''];
    // Without a password, the server rejects connections from other networks.
    args.push('--requirepass', PASSWORD);
    const child = spawn('redis-server', [...args, '--appendonly', 'yes', '--appendfsync', 'always'], {
      stdio: 'ignore',
    });
    process.once('exit', () => child.kill('SIGKILL'));
    this.#process = child;
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => {});
    const failed = once(child, 'exit').then(([code]) => {
      throw new Error(`redis-server exited with ${code} before it accepted connections`);
    });
    try {
      await Promise.race([client.ping(), failed]);
    } finally {
      client.disconnect();
      failed.catch(() => {});
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0);
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
