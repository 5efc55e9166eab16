import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import type { SetInfo } from '../../src/view/view-api.js';
import { startBrowser } from '../support/browser.js';
import { command } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { graphOfRelations } from '../support/graph-lines.js';
import { viewOf } from '../support/view-server.js';

/** What another page tries, as code that runs in it: `T` is the server's origin; each returns what it got, null if nothing. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  'read by fetch': `fetch(T + '/api/set', { credentials: 'include' }).then((reply) => reply.text())`,
  'read without CORS': `fetch(T + '/api/set', { mode: 'no-cors', credentials: 'include' }).then((reply) => reply.text().then((text) => text || null))`,
  'read the link': `fetch(T + '/', { credentials: 'include' }).then((reply) => reply.text())`,
  'write JSON': `fetch(T + '/api/edits', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: EDIT }).then((reply) => reply.text())`,
  'write text': `fetch(T + '/api/edits', { method: 'POST', mode: 'no-cors', credentials: 'include', body: EDIT }).then((reply) => reply.text().then((text) => text || null))`,
  'write by beacon': `(navigator.sendBeacon(T + '/api/edits', EDIT), null)`,
  picture: `load('img', T + '/api/images/0/picture')`,
  script: `load('script', T + '/page.js')`,
  'JSON as a script': `load('script', T + '/api/set')`,
  style: `load('link', T + '/page.css')`,
  frame: `new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.src = T + '/';
    frame.onload = () => { try { resolve(frame.contentDocument?.body.innerText || null); } catch { resolve(null); } };
    document.body.append(frame);
  })`,
  form: `new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.name = 'target';
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { action: T + '/api/edits', method: 'POST', enctype: 'text/plain', target: 'target' });
    const input = document.createElement('input');
    // As text/plain a form sends NAME=VALUE, which can be JSON.
    Object.assign(input, { name: EDIT.slice(0, -1) + ',"x":"', value: '"}' });
    form.append(input);
    document.body.append(form);
    frame.onload = () => { try { resolve(frame.contentDocument?.body.innerText || null); } catch { resolve(null); } };
    form.submit();
  })`,
  window: `new Promise((resolve) => {
    const opened = open(T + '/');
    setTimeout(() => { try { resolve(opened?.document?.body?.innerText || null); } catch { resolve(null); } }, 500);
  })`,
};

const PAGE = `<!doctype html><meta charset="utf-8"><body><script>
  globalThis.load = (tag, address) => new Promise((resolve) => {
    const element = document.createElement(tag);
    if (tag === 'link') Object.assign(element, { rel: 'stylesheet', href: address });
    else element.src = address;
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve(null);
    document.body.append(element);
  });
</script>`;

describe('pages of other origins', () => {
  let browser: Browser | null;
  let server: Server;

  before(async function () {
    browser = await startBrowser();
    if (!browser) return this.skip();
    command();
    server = createServer((_, reply) => reply.setHeader('content-type', 'text/html').end(PAGE));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return undefined;
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  it('get nothing of the server of view and change nothing, also in the browser that has its cookie', async () => {
    const folder = temporaryFolder();
    const graph = graphOfRelations(3);
    const images = join(folder, 'images');
    await mkdir(join(images, '0'), { recursive: true });
    const picture = sharp({ create: { width: 100, height: 100, channels: 3, background: '#336699' } });
    await picture.jpeg().toFile(join(images, '0', '0.jpg'));
    const reviews = join(folder, 'reviews.jsonl');
    const view = await viewOf([graph], { reviews, images: [images] });
    const context = await browser!.newContext();
    const page = await context.newPage();
    await page.goto(view.view.url);
    await page.waitForSelector('[role=grid] a');
    const own = `http://127.0.0.1:${view.view.port}`;
    const { subject, predicate, object } = graph.relations[0]!;
    const id = crypto.randomUUID();
    const edit = JSON.stringify({
      edits: [{ id, image: 0, relation: { subject, predicate, object }, what: { action: 'approve' } }],
    });
    const attempt = async (where: typeof page, code: string) =>
      (await where.evaluate(
        `(async () => { const T = ${JSON.stringify(own)}; const EDIT = ${JSON.stringify(edit)}; return ${code}; })().catch(() => null)`,
      )) as unknown;
    // What is read here can be read by the page itself, so that a refusal means something.
    for (const name of ['read by fetch', 'picture', 'script', 'style'])
      assert.ok(
        await attempt(
          page,
          name === 'picture'
            ? `fetch(T + '/api/images/0/picture').then((r) => r.ok)`
            : `fetch(T + '/${name === 'style' ? 'page.css' : name === 'script' ? 'page.js' : 'api/set'}').then((r) => r.ok)`,
        ),
        name,
      );
    const { port } = server.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost']) {
      const other = await context.newPage();
      await other.goto(`http://${host}:${port}/`);
      for (const [name, code] of Object.entries(ATTEMPTS))
        assert.equal(await attempt(other, code), null, `${name} from ${host}`);
    }
    assert.equal(existsSync(reviews), false, 'nothing was written');
    assert.equal((await view.get<SetInfo>('/api/set')).reviews.edits, 0);
    // The same edit by the page itself is saved.
    await attempt(
      page,
      `fetch('/api/edits', { method: 'POST', headers: { 'content-type': 'application/json' }, body: EDIT })`,
    );
    assert.equal((await view.get<SetInfo>('/api/set')).reviews.edits, 1);
    await context.close();
    await view.view.close();
  });
});
