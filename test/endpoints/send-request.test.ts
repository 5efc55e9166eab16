import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { sendRequest } from '../../src/endpoints/send-request.js';

const MIB = 2 ** 20;

describe('sendRequest', () => {
  const servers: Server[] = [];

  async function serve(listener: RequestListener): Promise<{ url: string; server: Server }> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('reuses its connections', async () => {
    const { url, server } = await serve(async (request, response) => {
      const body = await bodyOf(request);
      response.end(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`);
    });
    let connections = 0;
    server.on('connection', () => connections++);
    const headers = { 'Content-Type': 'application/json' };
    for (let number = 0; number < 20; number++) {
      const answer = await sendRequest(`${url}/a?b=1`, { method: 'POST', headers, body: `${number} é` });
      assert.deepEqual([answer.status, answer.text], [200, `POST /a?b=1 application/json ${number} é`]);
    }
    // The second request may come before the first connection is known to be free.
    assert.ok(connections <= 2, `${connections} connections for 20 requests`);
  });

  it('decompresses answers, in one piece or several', async () => {
    const text = JSON.stringify({ text: 'é'.repeat(100_000) });
    const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, identity: Buffer.from };
    for (const [encoding, pack] of Object.entries(packers)) {
      for (const inPieces of [false, true]) {
        const { url } = await serve((request, response) => {
          assert.equal(request.headers['accept-encoding'], 'identity');
          const packed = pack(text);
          response.setHeader('content-encoding', encoding);
          if (inPieces) response.write(packed.subarray(0, 10));
          else response.setHeader('content-length', packed.length);
          response.end(inPieces ? packed.subarray(10) : packed);
        });
        assert.equal((await sendRequest(url, {})).text, text);
      }
    }
    const { url } = await serve((_, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end('no gzip');
    });
    await assert.rejects(sendRequest(url, {}), {
      kind: 'malformed',
      message: /^the server's answer cannot be decompressed$/,
    });
  });

  it('reads at most 4 MiB, with and without a content length, compressed or not', async () => {
    const large = Buffer.alloc(5 * MIB, 0x20);
    const answers: RequestListener[] = [
      (_, response) => response.setHeader('content-length', large.length).end(large),
      (_, response) => {
        for (let part = 0; part < 5; part++) response.write(large.subarray(part * MIB, (part + 1) * MIB));
        response.end();
      },
      (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(large)),
    ];
    for (const answer of answers) {
      const { url } = await serve(answer);
      await assert.rejects(sendRequest(url, {}), {
        kind: 'too-large',
        message: "the server's answer exceeds 4194304 bytes",
      });
    }
  });

  it('follows redirections without sending the token to another origin', async () => {
    const seen: (string | undefined)[] = [];
    const { url: other } = await serve(async (request, response) => {
      seen.push(request.headers.authorization, request.method, await bodyOf(request));
      response.end('there');
    });
    const { url } = await serve((request, response) => {
      const next = request.url === '/' ? '/next' : `${other}/`;
      seen.push(request.headers.authorization);
      response.writeHead(307, { location: next }).end();
    });
    const answer = await sendRequest(url, { method: 'POST', headers: { Authorization: 'Bearer secret' }, body: '{}' });
    assert.equal(answer.text, 'there');
    assert.deepEqual(seen, ['Bearer secret', 'Bearer secret', undefined, 'POST', '{}']);
    const { url: loop } = await serve((request, response) => {
      response.writeHead(307, { location: `/${Number(request.url!.slice(1)) + 1}` }).end();
    });
    assert.equal((await sendRequest(`${loop}/0`, {})).status, 307);
  });

  it('rejects with the reason of its signal, and closes the connection', async () => {
    let hungUp: () => void;
    const gone = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const { url } = await serve((request) => {
      request.socket.on('close', () => hungUp());
      ending.abort(new Error('enough'));
    });
    const ending = new AbortController();
    await assert.rejects(sendRequest(url, { signal: ending.signal }), { message: 'enough' });
    await gone;
    await assert.rejects(sendRequest(url, { signal: ending.signal }), { message: 'enough' });
  });
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
