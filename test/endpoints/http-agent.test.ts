import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { createHttpAgent } from '../../src/endpoints/http-agent.js';
import { OptionError } from '../../src/errors.js';

describe('the proxies of the environment', () => {
  const open: { server: Server; sockets: Socket[] }[] = [];
  const agents: Dispatcher[] = [];

  async function listen(server: Server): Promise<number> {
    const sockets: Socket[] = [];
    open.push({ server, sockets });
    server.on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  /** A server of answers, and a proxy that leads every host to it and notes what it was asked for. */
  async function serverAndProxy() {
    const target = await listen(createServer((request, response) => response.end(`answer to ${request.url}`)));
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      const onward = connect(target, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    return { target, asked, proxy: await listen(proxy) };
  }

  async function get(environment: Record<string, string>, origin: string): Promise<string> {
    const agent = await createHttpAgent(environment);
    agents.push(agent);
    const { body } = await agent.request({ origin, path: '/a', method: 'GET' });
    return body.text();
  }

  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.destroy()));
    for (const { server, sockets } of open.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('carry requests, with the name and password of their address', async () => {
    const { asked, proxy } = await serverAndProxy();
    assert.equal(await get({ HTTP_PROXY: `http://127.0.0.1:${proxy}` }, 'http://model.test'), 'answer to /a');
    assert.equal(
      await get({ http_proxy: `http://me:secret@127.0.0.1:${proxy}` }, 'http://model.test:81'),
      'answer to /a',
    );
    assert.deepEqual(asked, ['model.test:80', `model.test:81 Basic ${Buffer.from('me:secret').toString('base64')}`]);
  });

  it('are not asked for this machine, nor for the hosts of NO_PROXY', async () => {
    const { target, asked, proxy } = await serverAndProxy();
    const HTTP_PROXY = `http://127.0.0.1:${proxy}`;
    assert.equal(await get({ HTTP_PROXY }, `http://127.0.0.1:${target}`), 'answer to /a');
    assert.equal(await get({ HTTP_PROXY }, `http://localhost:${target}`), 'answer to /a');
    for (const NO_PROXY of ['other.test,.model.test', '*'])
      await assert.rejects(get({ HTTP_PROXY, NO_PROXY }, 'http://a.model.test'), /ENOTFOUND|EAI_AGAIN/);
    assert.deepEqual(asked, []);
  });

  it('are refused if the address is none, without repeating it', async () => {
    for (const address of ['proxy:secret', 'not an address secret', 'ftp://secret'])
      await assert.rejects(createHttpAgent({ https_proxy: address }), (error: Error) => {
        assert.ok(error instanceof OptionError);
        assert.match(error.message, /^https_proxy: is not the address of a proxy/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
  });
});
