import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { temporaryFolder } from './folders.js';

/** How requests fail, for `startS3`. */
export interface S3Faults {
  /** The share of requests that get status 503, that break off, and that take 0.3 s longer: a third each. */
  share: number;
  /** Requests that the store refuses, by method and path. */
  refused?: RegExp;
  /** Requests that get no reply, by method and path. */
  held?: RegExp;
}

/** A server of the S3 protocol on a free port, with an empty bucket `bucket`. */
export interface S3Server {
  readonly client: S3Client;
  readonly sdk: typeof import('@aws-sdk/client-s3');
  readonly faults: S3Faults;
  /** Requests so far, as `GET /bucket/key`. */
  readonly requests: string[];
  /** Environment variables for a process that uses the server. */
  readonly env: Readonly<Record<string, string>>;
  put(key: string, body: string | Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
  /** Returns the contents of all objects by their keys, which begin with a text. */
  objects(prefix: string): Promise<Map<string, Buffer>>;
  stop(): Promise<void>;
}

const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/**
 * Starts s3rver, or the program `RELFLOW_TEST_S3` (versitygw), with a proxy before it that counts requests and lets some
 * fail. The environment of this process names it until it is stopped.
 */
export async function startS3(): Promise<S3Server> {
  const folder = temporaryFolder();
  const port = await freePort();
  const gateway = process.env['RELFLOW_TEST_S3'];
  const args = gateway
    ? ['--port', `127.0.0.1:${port}`, 'posix', folder]
    : [s3rver(), '-d', folder, '-p', String(port), '--no-vhost-buckets', '--silent'];
  const child = spawn(gateway ?? process.execPath, args, {
    stdio: 'ignore',
    env: { ...process.env, ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey },
  });
  process.once('exit', () => child.kill('SIGKILL'));
  await listening(port, child);
  const faults = { share: 0 };
  const requests: string[] = [];
  const proxy = startProxy(port, faults, requests);
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const env = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    RELFLOW_IMAGE_CACHE: temporaryFolder(),
  };
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  // Imported here, so that its warning about the version of Node.js is off.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS });
  await client.send(new sdk.CreateBucketCommand({ Bucket: 'bucket' }));
  return {
    client,
    sdk,
    faults,
    requests,
    env,
    put: async (key, Body) => {
      await client.send(new sdk.PutObjectCommand({ Bucket: 'bucket', Key: key, Body }));
    },
    remove: async (key) => {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: 'bucket', Key: key }));
    },
    objects: async (prefix) => {
      const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket: 'bucket', Prefix: prefix }));
      const found = new Map<string, Buffer>();
      for (const { Key = '' } of Contents) {
        const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: 'bucket', Key }));
        found.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
      }
      return found;
    },
    stop: async () => {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      client.destroy();
      proxy.closeAllConnections();
      proxy.close();
      const closed = once(child, 'exit');
      child.kill('SIGKILL');
      await closed;
    },
  };
}

const s3rver = (): string => join(createRequire(import.meta.url).resolve('s3rver'), '../../bin/s3rver.js');

function startProxy(port: number, faults: S3Faults, requests: string[]) {
  let random = 1;
  return createServer(async (incoming, response) => {
    const line = `${incoming.method} ${incoming.url}`;
    requests.push(line);
    // The same numbers in every run.
    random = (random * 48_271) % 2_147_483_647;
    if (faults.held?.test(line)) return;
    if (faults.refused?.test(line)) {
      incoming.resume();
      incoming.on('end', () => response.writeHead(400).end());
      return;
    }
    const failing = random / 2_147_483_647 < faults.share ? random % 3 : null;
    if (failing === 0) {
      incoming.resume();
      response.writeHead(503).end();
      return;
    }
    if (failing === 2) await sleep(300);
    const { method, url: path, headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 500, reply.headers);
      if (failing === 1) {
        // Breaks off before the content.
        response.flushHeaders();
        response.socket?.destroy();
        reply.destroy();
      } else reply.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      sleep(1000).then(() => false),
    ]);
    socket.destroy();
    if (isOpen) return;
    if (child.exitCode !== null || tries === 200) throw new Error('the S3 server did not start');
    await sleep(100);
  }
}
