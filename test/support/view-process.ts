import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { command } from './command.js';
import { temporaryFolder } from './folders.js';

const cache = join(temporaryFolder(), 'cache');

/** A server of `relflow view` in a process of its own, as a person starts it. */
export class ViewProcess {
  readonly child: ChildProcess;
  /** The link that it printed. */
  readonly url: URL;

  private constructor(child: ChildProcess, url: URL) {
    this.child = child;
    this.url = url;
  }

  static async start(...args: string[]): Promise<ViewProcess> {
    const child = spawn(process.execPath, [command(), 'view', ...args, '--no-open'], {
      cwd: packageRoot,
      env: { ...process.env, RELFLOW_CACHE: cache },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    const url = await new Promise<URL>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => resolve(new URL(String(chunk).trim())));
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${errors}`)));
    });
    return new ViewProcess(child, url);
  }

  async get<T>(address: string): Promise<T> {
    const response = await this.fetch(address);
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as T;
  }

  fetch(address: string, body?: unknown): Promise<Response> {
    return fetch(new URL(address, this.url), {
      headers: { authorization: `Bearer ${this.url.searchParams.get('token')}`, 'content-type': 'application/json' },
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    return ((await ended) as [number | null])[0];
  }
}
