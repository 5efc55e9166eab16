import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { OptionError } from '../../src/errors.js';
import type { Manifest } from '../../src/records/manifest.js';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { sceneGraphLines } from '../../src/sources/scene-graph-lines.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';

const folder = temporaryFolder();

function graph(id: number, fields: Partial<SceneGraph> = {}): SceneGraph {
  return {
    format: 'relflow.scene-graph/1',
    image: { id, file: `${id}.jpg`, width: 10, height: 10, dataset: 'd', split: 's' },
    objects: [
      { id: 1, category: 'person', box: [0, 0, 5, 5] },
      { id: 2, category: 'dog', box: [1, 1, 5, 5], score: 0.5 },
    ],
    captions: [{ text: 'a person with a dog', source: 'x' }],
    relations: [{ subject: 0, object: 1, predicate: 'with', confidence: 0.7, captions: [0] }],
    provenance: {
      origin: { source: 'coco', file: 'a.json' },
      operators: [],
      tagger: { name: 't', version: '1', baseline: false },
    },
    ...fields,
  };
}

const lines = (...values: unknown[]) => `${values.map((value) => JSON.stringify(value)).join('\n')}\n`;

describe('sceneGraphLines', () => {
  it('yields the records from which the lines were written', async () => {
    const file = join(folder, 'one.jsonl');
    writeFileSync(file, lines(graph(1), graph(2, { relations: [], captions: [] })));
    const { records, reasons } = await readSource(sceneGraphLines({ sceneGraphs: file }));
    const { image, objects, captions, relations, provenance } = graph(1);
    const { origin, tagger } = provenance;
    assert.deepEqual(records[0], { image, detections: objects, origin, captions, relations, tagger });
    assert.deepEqual(records[1]?.captions, []);
    assert.deepEqual(reasons, []);
    assert.deepEqual((await readSource(sceneGraphLines({ sceneGraphs: file, limit: 1 }))).records.length, 1);
  });

  it('writes paths with forward slashes', async () => {
    const file = join(folder, 'slashes.jsonl');
    writeFileSync(file, lines(graph(1, { image: { ...graph(1).image, file: 'a\\1.jpg' } })));
    const { records } = await readSource(sceneGraphLines({ sceneGraphs: file }));
    assert.equal(records[0]?.image.file, 'a/1.jpg');
  });

  it('rejects lines that do not fit the schema, with their number', async () => {
    const file = join(folder, 'bad.jsonl');
    const relation = { subject: 0, object: 1, predicate: 'with' };
    const bad = [
      { ...graph(2), extra: 1 },
      graph(3, { relations: [{ ...relation, object: 2 }] }),
      graph(4, { relations: [{ ...relation, captions: [1] }] }),
      graph(5, { image: { ...graph(5).image, file: '5.jpg/..' } }),
    ];
    writeFileSync(file, `${lines(graph(1))}\n{"oops"\n${lines(...bad)}`);
    const { records, items } = await readSource(sceneGraphLines({ sceneGraphs: file }));
    assert.equal(records.length, 1);
    assert.deepEqual(
      items.flatMap(({ rejects = [] }) => rejects),
      [
        { reason: 'schema', message: 'bad.jsonl: line 3: is not JSON', detail: { file: 'bad.jsonl', line: 3 } },
        ...[
          ['schema', "the value must NOT have additional properties ('extra')"],
          ['schema', '/relations/0 refers to an object that does not exist'],
          ['schema', '/relations/0 refers to a caption that does not exist'],
          ['unsafe-path', '"5.jpg/.." is not the path of an image'],
        ].map(([reason, problem], i) => ({
          reason,
          message: `bad.jsonl: line ${i + 4}: ${problem}`,
          image: i + 2,
          detail: { file: 'bad.jsonl', line: i + 4 },
        })),
      ],
    );
  });

  it('reads the files of a finished run in order, including gzip, and the files of a glob', async () => {
    const out = join(folder, 'run');
    mkdirSync(join(out, 'scene-graphs'), { recursive: true });
    writeFileSync(join(out, 'scene-graphs', '00000.jsonl'), lines(graph(1)));
    writeFileSync(join(out, 'scene-graphs', '00001.jsonl.gz'), gzipSync(lines(graph(2))));
    const described = (sink: string, path: string) => ({ sink, path, records: 1, bytes: 1, sha256: '0'.repeat(64) });
    const manifest: Manifest = {
      format: 'relflow.manifest/1',
      relflow: '0.1.0',
      pipeline: 'p',
      graph: [],
      inputs: [],
      records: 2,
      stages: {},
      files: [
        described('scene-graphs', 'scene-graphs/00001.jsonl.gz'),
        described('rejects', 'rejects/00000.jsonl'),
        described('scene-graphs', 'scene-graphs/00000.jsonl'),
      ],
    };
    const idsOf = async (sceneGraphs: string) =>
      (await readSource(sceneGraphLines({ sceneGraphs }))).records.map(({ image }) => image.id);
    await assert.rejects(idsOf(out), {
      message: `${out}: has no readable manifest.json, expected the folder of a finished run`,
    });
    const manifestFile = join(out, 'manifest.json');
    writeFileSync(manifestFile, JSON.stringify(manifest));
    assert.deepEqual(await idsOf(out), [2, 1]);
    assert.deepEqual(await idsOf(join(out, 'scene-graphs', '*.jsonl*')), [1, 2]);

    writeFileSync(manifestFile, JSON.stringify({ ...manifest, files: [described('scene-graphs', '../x.jsonl')] }));
    await assert.rejects(idsOf(out), {
      message: `${manifestFile}: /files/0/path must be relative to the output folder, with forward slashes`,
    });
    writeFileSync(manifestFile, JSON.stringify({ ...manifest, files: [] }));
    await assert.rejects(idsOf(out), { message: `${manifestFile}: the run wrote no scene graphs` });
    writeFileSync(manifestFile, '{}');
    await assert.rejects(idsOf(out), { code: 'bad-input' });
  });

  it('names the invalid option', () => {
    assert.throws(() => sceneGraphLines({ sceneGraphs: '' }), OptionError);
    assert.throws(() => sceneGraphLines({ sceneGraphs: 'x', limit: 1.5 }), {
      message: 'scene-graph-lines: limit 1.5, expected a whole number of at least 1',
    });
  });
});
