import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { downloadFile } from '../../src/endpoints/download-file.js';
import { weightsCatalogue } from '../../src/model/weights/weights-catalogue.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, k) => (k * 7 + (k >> 8)) % 256));
const digest = createHash('sha256').update(content).digest('hex');

describe('relflow weights get', () => {
  const folder = temporaryFolder();
  let server: Server;
  let origin: string;
  /** What the server does: how many bytes it sends before it ends the connection, and its version of the file. */
  const behavior = { sends: Number.POSITIVE_INFINITY, tag: '"one"', linked: digest as string | null, body: content };
  const ranges: (string | undefined)[] = [];

  before(async () => {
    server = createServer((request, response) => {
      const { sends, tag, linked, body } = behavior;
      if (request.url!.includes('missing')) return void response.writeHead(404).end('no');
      const headers = { etag: tag, ...(linked && { 'x-linked-etag': `"${linked}"` }), 'accept-ranges': 'bytes' };
      if (request.method === 'HEAD') return void response.writeHead(200, headers).end();
      const { range } = request.headers;
      ranges.push(range);
      const from = range ? Number(/bytes=(\d+)-/.exec(range)![1]) : 0;
      if (from >= body.length) return void response.writeHead(416).end();
      const rest = body.subarray(from);
      response.writeHead(range ? 206 : 200, { ...headers, 'content-length': rest.length });
      if (rest.length <= sends) response.end(rest);
      else response.write(rest.subarray(0, sends), () => setTimeout(() => response.destroy(), 50));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    Object.assign(behavior, { sends: Number.POSITIVE_INFINITY, tag: '"one"', linked: digest, body: content });
    ranges.length = 0;
  });

  const get = (name: string, changed: { sha256?: string; bytes?: number } = {}) =>
    downloadFile({ url: `${origin}/${name}`, to: join(folder, name), bytes: null, sha256: null, ...changed });

  it('continues a download that was interrupted, and the file appears only when it is complete', async () => {
    behavior.sends = 100_000;
    await assert.rejects(get('a.bin'), { message: /the connection ended early: run the command again to continue/ });
    assert.ok(!existsSync(join(folder, 'a.bin')) && existsSync(join(folder, 'a.bin.part')));
    behavior.sends = Number.POSITIVE_INFINITY;
    assert.deepEqual(await get('a.bin'), { bytes: content.length, sha256: digest, verified: 'server' });
    assert.deepEqual(ranges, [undefined, 'bytes=100000-']);
    assert.ok(readFileSync(join(folder, 'a.bin')).equals(content));
    assert.ok(!existsSync(join(folder, 'a.bin.part')) && !existsSync(join(folder, 'a.bin.part.etag')));
  });

  it('starts again when the server has another file, and takes one that is complete', async () => {
    behavior.linked = null;
    behavior.sends = 100_000;
    await assert.rejects(get('b.bin'));
    Object.assign(behavior, { tag: '"two"', sends: Number.POSITIVE_INFINITY, body: Buffer.from(content).reverse() });
    assert.equal((await get('b.bin')).verified, null);
    assert.deepEqual(ranges, [undefined, undefined]);
    writeFileSync(join(folder, 'c.bin.part'), content);
    writeFileSync(join(folder, 'c.bin.part.etag'), '"two"');
    assert.equal((await get('c.bin')).sha256, digest);
  });

  it('discards a file of another size or checksum, and names a server that refuses or is not there', async () => {
    await assert.rejects(get('d.bin', { bytes: 5 }), { code: 'bad-input', message: /has 300000 bytes, expected 5/ });
    await assert.rejects(get('d.bin', { sha256: 'ab' }), { message: /has the SHA-256 .*, expected ab: .* discarded/ });
    behavior.linked = 'f'.repeat(64);
    await assert.rejects(get('d.bin'), { message: /has the SHA-256/ });
    assert.ok(!existsSync(join(folder, 'd.bin')) && !existsSync(join(folder, 'd.bin.part')));
    await assert.rejects(get('missing'), { code: 'bad-endpoint', message: /answered with status 404/ });
    await assert.rejects(
      downloadFile({ url: 'http://127.0.0.1:9/x', to: join(folder, 'x'), bytes: null, sha256: null }),
      {
        code: 'bad-endpoint',
        message: /cannot be reached/,
      },
    );
  });

  it('downloads from a mirror, and does not replace files unasked', async () => {
    const out = join(folder, 'roberta');
    const before = process.env['HF_ENDPOINT'];
    process.env['HF_ENDPOINT'] = `${origin}/`;
    try {
      const got = await relflow(['weights', 'get', 'roberta-base', '--out', out]);
      assert.equal(got.code, 0, got.stderr);
      assert.match(
        got.stdout,
        new RegExp(`tokenizer\\.json: 300,000 bytes, SHA-256 ${digest} \\(as the server states\\)`),
      );
      assert.match(got.stderr, /license: MIT/);
      const again = await relflow(['weights', 'get', 'roberta-base', '--out', out]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /already exists|--overwrite/);
    } finally {
      if (before === undefined) delete process.env['HF_ENDPOINT'];
      else process.env['HF_ENDPOINT'] = before;
    }
  });

  it('says which file to download by hand, what is not known, and what to do next', async () => {
    const { code, stdout } = await relflow(['weights', 'get', 'rtagger-r50']);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /page {7}https:\/\/github\.com\/JacobYuan7\/RLIPv2, section "Relational pseudo-labelling, step 3"/,
    );
    assert.match(stdout, /RLIP_PD_v2_Tagger2_COCO_20e_bs64_GLIP2aux_L1\/checkpoint0019\.pth/);
    assert.match(stdout, /size {7}not known\n {2}SHA-256 {4}not known\n {2}license {4}not stated for the weights/);
    assert.match(stdout, /relflow weights convert FILE rtagger-r50\.safetensors --model rTaggerR50/);
    const unknown = await relflow(['weights', 'get', 'rtager-r50']);
    assert.match(unknown.stderr, /unknown weights 'rtager-r50' \(did you mean 'rtagger-r50'\?\), expected one of /);
    const listed = await relflow(['weights', 'list']);
    for (const { name } of weightsCatalogue) assert.match(listed.stdout, new RegExp(`^${name} `, 'm'));
  });

  it('checks a file that was downloaded by hand', async () => {
    const page = join(folder, 'downloads');
    mkdirSync(page, { recursive: true });
    const html = join(page, 'checkpoint0019.pth');
    writeFileSync(html, '<!DOCTYPE html><html>sign in</html>');
    const wrong = await relflow(['weights', 'get', 'rtagger-r50', '--file', html]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /is an HTML page, expected weights/);
    const other = await relflow(['weights', 'get', 'rtagger-r50', '--file', 'test/model/weights/forms/net.pth']);
    assert.match(other.stderr, /net\.pth: does not contain the weights of rTaggerR50\n {2}missing: /);
  });
});
