import assert from 'node:assert/strict';
import { join } from 'node:path';
import { captionFile } from '../../src/captioners/caption-file.js';
import type { AnswerStore } from '../../src/endpoints/answer-store.js';
import { importAnswers } from '../../src/endpoints/import-answers.js';
import { goldCaptions } from '../../src/evaluation/parser/gold-captions.js';
import { jsonLines } from '../../src/files/json/json-lines.js';
import { streamJson } from '../../src/files/json/stream-json.js';
import { parsedGraphFile } from '../../src/parser/parsed-graph-file.js';
import type { Image } from '../../src/records/image.js';
import { validateRun } from '../../src/run-folder/validate-run.js';
import { readTrainingConfig } from '../../src/training/settings/read-training-config.js';
import { loadVocabulary } from '../../src/vocabulary/vocabulary.js';
import { encodeText, mutateJson, pick, writeJson } from './mutate.js';
import type { FuzzedReader } from './reader.js';
import { linesOf, parseWhole } from './sources.js';

const images: readonly Image[] = [1, '9', 'a'].map((id) => ({
  id,
  file: `${id}.jpg`,
  width: 9,
  height: 9,
  dataset: 'x',
  split: '',
}));

const captions: readonly unknown[] = [
  {
    annotations: [
      { image_id: 1, id: 1, caption: 'a man' },
      { image_id: '9', caption: 'a horse' },
    ],
    images: [{ id: 1, file_name: '1.jpg' }],
  },
  { 1: ['a man', 'a horse'], a: 'one', '9': [{ caption: 'x' }] },
  { 1: ['a man', ' a horse '], a: ['one'], '9': [] },
  [
    { image_id: 1, caption: 'a man' },
    { file_name: 'a.jpg', captions: ['x'] },
  ],
  { images: [{ cocoid: 1, filepath: 'a', filename: '1.jpg', sentences: [{ raw: 'a man' }] }] },
];

const answer = {
  question: { protocol: 'hf-chat', model: 'm', prompt: 'p', parameters: {} },
  subject: 'a'.repeat(64),
  seed: 0,
  reply: { text: 'a man' },
  at: '2026-01-01T00:00:00.000Z',
};

const training = {
  task: 'tagger',
  model: 'tinyTagger',
  data: [{ sceneGraphs: 'a.jsonl', images: 'images' }],
  epochs: 1,
  batchSize: 2,
  seed: 1,
};

const jsonReader = (
  name: string,
  file: string,
  seeds: readonly unknown[],
  read: (path: string, bytes: Buffer) => Promise<void>,
): FuzzedReader => ({
  name,
  make: (random) => ({ [file]: writeJson(random, mutateJson(random, pick(random, seeds))) }),
  read: (folder, files) => read(join(folder, file), files[file]!),
});

/** Reads the captions of a few images, and checks that every caption that is written for one is found or counted. */
async function readCaptions(path: string, content?: unknown): Promise<void> {
  const file = captionFile({ captions: path, tempDir: join(path, '..') });
  try {
    await file.keys();
    for (const image of images) {
      const caption = async () => file.caption(image, new AbortController().signal, () => {});
      const found = await caption().catch(ignoreRecordError);
      for (const { text } of found ?? []) assert.ok(text.trim() !== '');
      const written = captionsOf(content, image.id);
      if (written !== undefined)
        assert.deepEqual(
          (found ?? []).map(({ text }) => text),
          written,
          `captions of ${image.id}`,
        );
    }
  } finally {
    await file.close();
  }
}

/** Returns the captions of an image in a map of images to lists; undefined if the file is of another form. */
function captionsOf(content: unknown, id: Image['id']): string[] | undefined {
  const lists = Object.entries(content ?? {});
  const isPlain = lists.every(([key, list]) => /^\w{1,3}$/.test(key) && Array.isArray(list));
  const list = (content as Record<string, unknown> | undefined)?.[id] as unknown[] | undefined;
  if (Array.isArray(content) || !isPlain || !list?.every((text) => typeof text === 'string')) return undefined;
  return (list as string[]).map((text) => text.trim()).filter((text) => text !== '');
}

function ignoreRecordError(error: Error & { reason?: string }): undefined {
  if (error.reason === undefined) throw error;
}

/** The readers of texts and JSON. */
export const textReaders: readonly FuzzedReader[] = [
  jsonReader('captions', 'captions.json', captions, (path, bytes) => readCaptions(path, parseWhole(bytes))),
  {
    name: 'caption-tables',
    make: (random) => {
      const rows = ['file,caption', '1.jpg,a man', 'a.jpg,"a ""horse"", grazing"', '9,x'];
      const table = Array.from({ length: 5 }, (_, k) => (k === 0 ? rows[0] : pick(random, rows))).join('\n');
      return { 'captions.csv': encodeText(random, random.next() < 0.3 ? table.replaceAll(',', '\t') : table) };
    },
    read: (folder) => readCaptions(join(folder, 'captions.csv')),
  },
  jsonReader(
    'text-graphs',
    'parsed.json',
    [
      {
        1: [{ entities: [{ head: 'man', span: 'a man' }], relations: [{ subject: 0, relation: 'on', object: 0 }] }],
        a: [],
      },
    ],
    async (path) => {
      const graphs = parsedGraphFile({ graphs: path, tempDir: join(path, '..') });
      try {
        for (const image of images) await graphs.graphs(image, new AbortController().signal).catch(ignoreRecordError);
      } finally {
        await graphs.close();
      }
    },
  ),
  jsonReader('vocabulary', 'words.json', [{ person: ['man', 'woman'], horse: [] }], async (path) => {
    loadVocabulary(path);
  }),
  jsonReader('training-config', 'training.json', [training], async (path) => {
    await readTrainingConfig(path);
  }),
  jsonReader('validate', 'captions.json', captions, async (path) => {
    for await (const { problem } of validateRun(path)) assert.equal(typeof problem, 'string');
  }),
  {
    name: 'json',
    make: (random) => {
      const seeds = [
        [1, 'a', { b: [] }, null, '\\"]'],
        { a: 1, b: { c: [2] } },
        { images: [1, 2], x: 3, annotations: [4] },
      ];
      return { 'in.json': writeJson(random, mutateJson(random, pick(random, seeds))) };
    },
    read: async (folder, files) => {
      const content = parseWhole(files['in.json']!);
      const layout = Array.isArray(content) ? 'list' : 'map';
      const keys: string[] = [];
      const values: unknown[] = [];
      for await (const batch of streamJson(join(folder, 'in.json'), { layout })) {
        keys.push(...batch.keys);
        values.push(...batch.values);
      }
      if (content === undefined) return;
      // JSON.parse rounds longer numbers, which the reader keeps as texts.
      if (/\d{16}/.test(JSON.stringify(content))) return;
      const expected = content as object;
      if (layout === 'list') assert.equal(JSON.stringify(values), JSON.stringify(expected));
      else assert.deepEqual([...new Set(keys)].sort(), Object.keys(expected).sort());
    },
  },
  {
    name: 'json-lines',
    make: (random) => {
      const lines = Array.from({ length: 4 }, () => JSON.stringify(mutateJson(random, { a: [1, { b: 'x' }] })) ?? '');
      return { 'in.jsonl': encodeText(random, lines.join('\n')) };
    },
    read: async (folder, files) => {
      let count = 0;
      for await (const line of jsonLines(join(folder, 'in.jsonl'))) if (line) count++;
      assert.equal(count, linesOf(files['in.jsonl']!) ?? count);
    },
  },
  {
    name: 'answers',
    make: (random) => {
      const lines = Array.from({ length: 3 }, () => JSON.stringify(mutateJson(random, answer)) ?? '');
      return { 'answers.jsonl': encodeText(random, lines.join('\n')) };
    },
    read: async (folder, files) => {
      const store = {
        add: async (_question: unknown, _at: unknown, reply: unknown) => reply,
      } as unknown as AnswerStore;
      const { added, known, bad } = await importAnswers(store, join(folder, 'answers.jsonl'));
      const lines = linesOf(files['answers.jsonl']!);
      assert.equal(added + known + bad.length, lines ?? added + known + bad.length);
    },
  },
  {
    name: 'gold-captions',
    make: (random) => {
      const rows = ['a man,"( man , on , horse )"', '"a, b",x', ',', 'a man,( man , is , big ) , ( man , on , horse )'];
      const table = ['caption,scene_graph', ...Array.from({ length: 4 }, () => pick(random, rows))].join('\n');
      return { 'gold.csv': encodeText(random, table) };
    },
    read: async (folder) => {
      for await (const { caption } of goldCaptions(join(folder, 'gold.csv'), () => {}))
        assert.ok(caption.trim() !== '');
    },
  },
];
