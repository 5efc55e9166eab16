import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { hfChat } from '../../src/captioners/hf-chat.js';
import { RelflowError } from '../../src/errors.js';
import type { Parameter } from '../../src/model/parameter-scope.js';
import { LabelVectorFile } from '../../src/model/text/label-vector-file.js';
import { factualT5 } from '../../src/parser/remote/factual-t5.js';
import type { Random } from '../../src/records/random.js';
import { seal } from '../../src/run-folder/sealed-json.js';
import { relflow, SCENES } from '../support/command.js';
import { mutateBytes, mutateJson, pick, writeJson } from './mutate.js';
import type { Files, FuzzedReader } from './reader.js';

/** A server that answers every request with the files of the current input. */
let server: Promise<Server> | undefined;
let answer: Files = {};

async function address(files: Files): Promise<string> {
  answer = files;
  server ??= new Promise((resolve) => {
    const started = createServer((request, response) => {
      request.resume().on('end', () => {
        const { status, headers } = JSON.parse(answer['head.json']!.toString()) as { status: number; headers: object };
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(answer['reply.json']);
      });
    });
    started.listen(0, '127.0.0.1', () => resolve(started)).unref();
  });
  return `http://127.0.0.1:${((await server).address() as AddressInfo).port}`;
}

function replyFiles(random: Random, replies: readonly unknown[]): Files {
  const status = random.next() < 0.8 ? 200 : pick(random, [201, 204, 400, 401, 404, 413, 500, 503]);
  const encoding = random.next() < 0.1 ? { 'content-encoding': pick(random, ['gzip', 'deflate', 'br', 'x']) } : {};
  return {
    'reply.json': writeJson(random, mutateJson(random, pick(random, replies))),
    'head.json': Buffer.from(JSON.stringify({ status, headers: encoding })),
  };
}

const usage = { prompt_tokens: 100, completion_tokens: 9, total_tokens: 109 };
const choice = { index: 0, message: { role: 'assistant', content: 'A man rides a horse.' }, finish_reason: 'stop' };
const thinking = { ...choice.message, content: '<think>hm</think>A dog.', reasoning_content: 'hm' };
const chatReplies: readonly unknown[] = [
  { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage },
  { choices: [choice, { ...choice, index: 1, message: { content: [{ type: 'text', text: 'A dog.' }] } }], usage },
  { choices: [{ message: thinking, finish_reason: 'length' }], usage: null },
  { error: { message: 'no model m', type: 'invalid_request_error', code: 404 } },
];
const generated = '( man , ride , horse ) , ( horse , is , brown )';
const textReplies: readonly unknown[] = [
  [{ generated_text: generated }],
  { generated_text: generated },
  { error: 'Model is loading', estimated_time: 20 },
];
const policy = { retries: 0, requestSeconds: 3, answerSeconds: 4 };
const picture = readFileSync(join(SCENES, 'images', readdirSync(join(SCENES, 'images'))[0]!));
const image = { id: 1, file: '1.jpg', width: 640, height: 480, dataset: 'x', split: '' };
const { signal } = new AbortController();

/** The files of a finished run and of one that was stopped, by their paths. */
let runs: Promise<readonly Files[]> | undefined;

async function runFiles(): Promise<readonly Files[]> {
  const folder = mkdtempSync(join(tmpdir(), 'relflow-fuzz-'));
  try {
    const out = join(folder, 'out');
    const scenes = ['--annotations', 'fixtures/scenes/instances.json', '--captions', 'fixtures/scenes/captions.json'];
    const args = ['run', 'coco', ...scenes];
    const { code, stderr } = await relflow([...args, '--out', out, '--shard-records', '8', '--quiet']);
    assert.equal(code, 0, stderr);
    const names = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = names.map(({ parentPath, name }) => join(parentPath, name).slice(out.length + 1));
    const isOfEnd = (name: string) => /^manifest\.json$|^report\.json$|00002/.test(name);
    return [files, files.filter((name) => !isOfEnd(name))].map((kept) =>
      Object.fromEntries(kept.map((name) => [name, readFileSync(join(out, name))])),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Changes one file of a run; where a file has a checksum of itself, mostly with a new checksum. */
function changedFile(random: Random, bytes: Buffer): Buffer {
  if (random.next() < 0.2) return mutateBytes(random, bytes, bytes);
  try {
    const lines = bytes.toString().trimEnd().split('\n');
    const at = Math.floor(random.next() * lines.length);
    const { check, ...value } = JSON.parse(lines.length > 1 ? lines[at]! : bytes.toString()) as { check?: unknown };
    const changed = mutateJson(random, value) as object;
    if (lines.length > 1)
      return Buffer.from([...lines.slice(0, at), JSON.stringify(changed), ...lines.slice(at + 1)].join('\n'));
    return writeJson(random, check !== undefined && random.next() < 0.9 ? seal(changed) : changed);
  } catch {
    return mutateBytes(random, bytes, bytes);
  }
}

const encoder = [{ name: 'a', values: async () => new Float32Array([1]) } as unknown as Parameter];
const width = 3;
const vectorFile = 'label-vectors.bin';

function vectorRecord(key: string, values: readonly number[]): Buffer {
  const name = Buffer.from(key);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(name.length);
  const body = Buffer.concat([head, name, Buffer.from(Float32Array.from(values).buffer)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(body));
  return Buffer.concat([body, sum]);
}

/** The readers of replies of servers, of folders of runs and of label vectors. */
export const serviceReaders: readonly FuzzedReader[] = [
  {
    name: 'chat-reply',
    make: (random) => ({ ...replyFiles(random, chatReplies), '1.jpg': picture }),
    read: async (folder, files) => {
      const endpointUrl = await address(files);
      const captioner = hfChat({ endpointUrl, model: 'm', images: folder, store: join(folder, 'store'), ...policy });
      try {
        const captions = await captioner.caption(image, signal, () => {});
        assert.ok(captions.length > 0);
        for (const { text } of captions) assert.ok(text.trim() !== '' && text.length <= 8000);
      } finally {
        await captioner.close?.();
      }
    },
  },
  {
    name: 'generated-text',
    make: (random) => replyFiles(random, textReplies),
    read: async (folder, files) => {
      const parser = factualT5({ endpointUrl: await address(files), store: join(folder, 'store'), ...policy });
      try {
        const counts: string[] = [];
        const context = { signal, count: (name: string) => counts.push(name) };
        const { entities, relations } = await parser.parse('a man rides a brown horse', context);
        assert.equal(counts.length, entities.length === 0 ? 1 : 0, 'an empty graph is counted');
        for (const { subject, object } of relations)
          assert.ok(entities[subject] && (object === null || entities[object]));
      } finally {
        await parser.close?.();
      }
    },
  },
  {
    name: 'run-folder',
    make: async (random) => {
      runs ??= runFiles();
      const files = { ...pick(random, await runs) };
      for (let edits = 1 + Math.floor(random.next() * 2); edits > 0; edits--) {
        const name = pick(random, Object.keys(files));
        if (random.next() < 0.1) delete files[name];
        else files[name] = changedFile(random, files[name]!);
      }
      return files;
    },
    read: async (folder) => {
      const commands = [
        ['validate', folder],
        ['stats', folder],
        ['export', folder, '--format', 'rlipv2', '--file', join(folder, 'export.json'), '--overwrite'],
        ['inspect', '100001', folder],
        ['resume', folder, '--quiet'],
      ];
      // The last command decides: a changed run is never valid.
      let refused: string | undefined;
      for (const args of commands) {
        const { code, stderr } = await relflow(args);
        assert.doesNotMatch(stderr, /^ {4}at |an error of relflow itself/m, args[0]);
        assert.ok(stderr.length < 5000, `${args[0]}: ${stderr.length} characters`);
        refused = code === 0 ? undefined : stderr;
      }
      if (refused !== undefined) throw new RelflowError('fuzz', refused);
    },
  },
  {
    name: 'label-vectors',
    make: (random) => {
      const keys = ['man', 'horse', 'é', '', 'x'.repeat(200)];
      const records = keys.map((key) => vectorRecord(key, [1, pick(random, [2, Number.NaN, 1e38, 0]), 3]));
      const whole = Buffer.concat(records);
      return { [vectorFile]: random.next() < 0.7 ? mutateBytes(random, whole, records[0]!) : whole };
    },
    read: async (folder, files) => {
      const vectors = await LabelVectorFile.open(folder, encoder, width);
      await vectors.append([['a', new Float32Array(width)]]);
      const [name = ''] = readdirSync(folder).filter((found) => found !== vectorFile);
      writeFileSync(join(folder, name), files[vectorFile]!);
      const read = await vectors.read();
      for (const vector of read.values()) assert.ok(vector.length === width && vector.every(Number.isFinite));
      await vectors.append([['new', new Float32Array(width)]]);
      assert.deepEqual([...(await vectors.read()).keys()], [...new Set([...read.keys(), 'new'])]);
    },
  },
];
