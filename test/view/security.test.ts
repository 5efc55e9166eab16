import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { startView } from '../../src/view/server/start-view.js';
import { temporaryFolder } from '../support/folders.js';
import { variedGraphs } from '../support/graph-lines.js';
import { setOf, type TestView, viewOf } from '../support/view-server.js';

const FILES = [
  'good.png',
  '../secret.png',
  'a/../../secret.png',
  '/etc/passwd',
  'link.png',
  'page.png',
  'away/1.png',
  'gone.png',
];

/** As an address hides it from those who look for slashes. */
const SLASH = '%2f';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Sends a request with exactly these headers; `fetch` does not let one choose the host. */
function send(
  view: TestView,
  path: string,
  headers: Record<string, string>,
  method = 'GET',
  body = '',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: view.view.port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the server of view', () => {
  const folder = temporaryFolder();
  const images = join(folder, 'images');
  let view: TestView;
  let cookie: string;

  before(async () => {
    await mkdir(join(images, 'a'), { recursive: true });
    const picture = sharp({ create: { width: 100, height: 100, channels: 3, background: '#336699' } }).png();
    await picture.clone().toFile(join(images, 'good.png'));
    await picture.clone().toFile(join(folder, 'secret.png'));
    await symlink(join(folder, 'secret.png'), join(images, 'link.png'));
    await symlink(folder, join(images, 'away'));
    await writeFile(
      join(images, 'page.png'),
      '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    );
    const graphs = variedGraphs(FILES.length).map(
      (graph, index): SceneGraph => ({
        ...graph,
        image: { ...graph.image, width: 100, height: 100, file: FILES[index]! },
      }),
    );
    view = await viewOf(graphs, { images: [images], reviews: join(folder, 'reviews.jsonl') });
    cookie = `relflow-view-${view.view.port}=${view.view.token}`;
  });
  after(() => view.view.close());

  const host = () => `127.0.0.1:${view.view.port}`;

  it('asks for the token, which the link has once and a cookie then', async () => {
    for (const headers of [{}, { cookie: `relflow-view-${view.view.port}=wrong` }, { authorization: 'Bearer wrong' }]) {
      for (const path of ['/', '/api/set', '/api/images/0/picture', '/?token=wrong', '/api/judged.csv']) {
        const { status, body } = await send(view, path, { host: host(), ...headers });
        assert.equal(status, 403, path);
        assert.match(body, /the token is missing or wrong: open the link that relflow view printed/);
        assert.doesNotMatch(body, new RegExp(view.view.token));
      }
    }
    const opened = await send(view, `/images?predicate=on&token=${view.view.token}`, { host: host() });
    assert.deepEqual([opened.status, opened.headers['location']], [303, '/images?predicate=on']);
    assert.match(String(opened.headers['set-cookie']), /^relflow-view-\d+=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
    assert.equal((await send(view, '/api/set', { host: host(), cookie })).status, 200);
  });

  it('refuses requests for other hosts, as of a name that was made to lead here', async () => {
    for (const other of ['evil.example', `evil.example:${view.view.port}`, '127.0.0.1:1']) {
      const { status, body } = await send(view, '/api/set', { host: other, cookie });
      assert.equal(status, 403, other);
      assert.match(body, /expected 127\.0\.0\.1:\d+|bad-host/);
    }
    assert.equal((await send(view, '/api/set', { host: `localhost:${view.view.port}`, cookie })).status, 200);
  });

  it('refuses requests of other pages, and writes that do not say where they come from', async () => {
    const edit = JSON.stringify({
      edits: [
        { id: randomUUID(), image: 0, relation: { subject: 0, predicate: 'on', object: 1 }, what: { action: 'add' } },
      ],
    });
    const json = { host: host(), cookie, 'content-type': 'application/json' };
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `https://${host()}` },
      { origin: `http://localhost:${view.view.port}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      assert.equal(
        (await send(view, '/api/set', { host: host(), cookie, ...headers } as Record<string, string>)).status,
        403,
      );
      assert.equal(
        (await send(view, '/api/edits', { ...json, ...headers } as Record<string, string>, 'POST', edit)).status,
        403,
      );
    }
    assert.equal((await send(view, '/api/edits', json, 'POST', edit)).status, 403);
    const { status, headers } = await send(view, '/api/edits', { ...json, origin: `http://${host()}` }, 'POST', edit);
    assert.equal(status, 200);
    assert.equal(headers['access-control-allow-origin'], undefined);
  });

  it('allows the page nothing but what comes from itself', async () => {
    const { headers } = await send(view, '/api/set', { host: host(), cookie });
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.deepEqual([headers['x-content-type-options'], headers['referrer-policy']], ['nosniff', 'no-referrer']);
  });

  it('reads images in the image folder alone, and only images', async () => {
    for (const [key, file] of FILES.entries()) {
      const response = await view.fetch(`/api/images/${key}/picture?width=160`);
      assert.equal(response.status, file === 'good.png' ? 200 : 404, file);
      if (file !== 'good.png') assert.doesNotMatch(await response.text(), /root:|<svg/);
      else assert.equal((await sharp(await response.arrayBuffer()).metadata()).format, 'jpeg');
    }
    for (const path of [
      '/api/images/0/picture/../../../../../etc/passwd',
      '/../../etc/passwd',
      `/%2e%2e${SLASH}%2e%2e${SLASH}package.json`,
      `/..${SLASH}..${SLASH}package.json`,
      `/api/images/..${SLASH}..${SLASH}package.json/picture`,
      '/package.json',
    ]) {
      const { body } = await send(view, path, { host: host(), cookie });
      assert.doesNotMatch(body, /root:|"name": "relflow"/, path);
    }
    const wide = await view.fetch('/api/images/0/picture?width=161');
    assert.equal(wide.status, 400);
  });

  it('listens on this machine alone', async () => {
    const others = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).flatMap(({ family, address, internal }) => (family === 'IPv4' && !internal ? [address] : [])),
    );
    for (const address of others) {
      const outcome = await new Promise((resolve) => {
        const socket = connect({ host: address, port: view.view.port, timeout: 2000 });
        for (const event of ['connect', 'error', 'timeout']) socket.on(event, () => resolve(event));
      });
      assert.notEqual(outcome, 'connect', address);
    }
  });

  it('leaves nothing open when its port is taken', async () => {
    const set = await setOf(variedGraphs(2));
    const [cache, temporary] = [temporaryFolder(), temporaryFolder()];
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = temporary;
    try {
      await assert.rejects(startView(set, { cache, port: view.view.port }), /EADDRINUSE/);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
    assert.deepEqual(await readdir(temporary), []);
  });

  it('refuses bodies that are too large', async () => {
    const headers = { host: host(), cookie, origin: `http://${host()}`, 'content-type': 'application/json' };
    const { status } = await send(view, '/api/edits', headers, 'POST', `{"edits":["${'x'.repeat(2 << 20)}"]}`);
    assert.equal(status, 413);
  });
});
