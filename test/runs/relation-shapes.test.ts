import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EXPORT_FORMATS,
  Graph,
  type ImageRecord,
  type Related,
  RunFolder,
  run,
  sceneGraphLines,
  sceneGraphs,
} from '../../src/index.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { readSource } from '../support/read-source.js';
import { collect, imageRecord, memorySource } from '../support/records.js';

const person = ['person', 10, 10, 50, 100] as const;
const horse = ['horse', 20, 60, 120, 90] as const;

const records: (ImageRecord & Related)[] = [
  {
    ...imageRecord(1, [person, horse]),
    relations: [
      { subject: 0, object: null, predicate: 'smile' },
      { subject: 0, object: 1, predicate: 'ride' },
      { subject: 0, object: 1, predicate: 'sit on' },
      { subject: 0, object: 0, predicate: 'wash' },
    ],
    tagger: null,
  },
  { ...imageRecord(2, [person]), relations: [], tagger: null },
];

describe('relations of an object alone, with itself, several of a pair, and none', () => {
  const out = join(temporaryFolder(), 'out');

  before(async () => {
    const graph = new Graph('shapes');
    graph
      .from(
        memorySource(
          records.map((record) => ({ record })),
          ['image', 'detections', 'origin', 'relations', 'tagger'],
        ),
      )
      .to(sceneGraphs());
    await run(graph, { out });
  });

  it('are written, validated and read again', async () => {
    const graphs = await collect(new RunFolder(out).lines('scene-graphs', 'scene-graph'));
    assert.deepEqual(
      graphs.map(({ relations }) => relations),
      records.map(({ relations }) => relations),
    );
    const { code, stdout, stderr } = await relflow(['validate', out]);
    assert.equal(code, 0, stdout + stderr);
    const read = await readSource(sceneGraphLines({ sceneGraphs: out }));
    assert.deepEqual(
      read.records.map(({ relations }) => relations),
      records.map(({ relations }) => relations),
    );
  });

  it('are counted', async () => {
    const { stdout } = await relflow(['stats', out, '--json']);
    const { relations, imagesWithRelation, triplets } = JSON.parse(stdout);
    assert.deepEqual([relations, imagesWithRelation], [4, 1]);
    assert.deepEqual(triplets, [
      ['person, ride, horse', 1],
      ['person, sit on, horse', 1],
      ['person, smile, -', 1],
      ['person, wash, person', 1],
    ]);
  });

  it('are exported to every format that the run has the records for', async () => {
    for (const [format, { sink }] of Object.entries(EXPORT_FORMATS)) {
      if (sink !== 'scene-graphs') continue;
      const file = join(temporaryFolder(), 'export');
      const { code, stderr } = await relflow(['export', out, '--format', format, '--file', file]);
      assert.equal(code, 0, `${format}: ${stderr}`);
    }
    const file = join(temporaryFolder(), 'rlipv2.json');
    await relflow(['export', out, '--format', 'rlipv2', '--file', file]);
    const [first, second] = JSON.parse(readFileSync(file, 'utf8'));
    assert.deepEqual(
      first.relationships.map((relation: { predicate: string; subject_id: number; object_id: number }) => [
        relation.predicate,
        relation.subject_id,
        relation.object_id,
      ]),
      [
        ['ride', 0, 1],
        ['sit on', 0, 1],
        ['wash', 0, 0],
      ],
    );
    assert.deepEqual(second.relationships, []);
    const page = join(temporaryFolder(), 'page.html');
    await relflow(['export', out, '--format', 'page', '--file', page]);
    assert.match(readFileSync(page, 'utf8'), /person <b>smile<\/b> </);
  });
});
