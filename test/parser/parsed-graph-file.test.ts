import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordError } from '../../src/errors.js';
import { parsedGraphFile } from '../../src/parser/parsed-graph-file.js';
import type { Id, Image } from '../../src/records/image.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const image = (id: Id): Image => ({ id, file: '', width: 1, height: 1, dataset: '', split: '' });

/** The official parser's output for `A young Woman is playing the piano in the room.` */
const graph = {
  entities: [
    {
      head: 'Woman',
      lemma_head: 'woman',
      span: 'A young Woman',
      lemma_span: 'a young woman',
      span_bounds: [0, 3],
      type: 'unknown',
      modifiers: [
        { dep: 'det', span: 'A', lemma_span: 'a' },
        { dep: 'amod', span: 'young', lemma_span: 'young' },
      ],
    },
    {
      head: 'piano',
      lemma_head: 'piano',
      span: 'the piano',
      lemma_span: 'the piano',
      span_bounds: [5, 7],
      type: 'unknown',
      modifiers: [{ dep: 'det', span: 'the', lemma_span: 'the' }],
    },
  ],
  relations: [{ subject: 0, object: 1, relation: 'Playing', lemma_relation: 'play' }],
};

describe('parsedGraphFile', () => {
  it('returns the graphs of an image, one per caption', async () => {
    const tempDir = temporaryFolder();
    const path = join(folder, 'parsed.json');
    writeFileSync(path, JSON.stringify({ 5: [graph, { entities: [], relations: [] }], 6: [] }));
    const source = parsedGraphFile({ graphs: path, tempDir });
    assert.deepEqual(await source.files(), [path]);
    assert.deepEqual(await source.graphs(image(5)), [
      {
        entities: [
          {
            span: 'A young Woman',
            start: 0,
            end: 13,
            head: 'woman',
            lemma: 'woman',
            attributes: [{ text: 'young', lemma: 'young' }],
          },
          { span: 'the piano', start: 0, end: 9, head: 'piano', lemma: 'piano', attributes: [] },
        ],
        relations: [{ subject: 0, object: 1, predicate: 'Playing', lemma: 'play' }],
      },
      { entities: [], relations: [] },
    ]);
    assert.deepEqual(await source.graphs(image(6)), []);
    await assert.rejects(source.graphs(image(7)), (error: RecordError) => {
      assert.equal(error.reason, 'no-graphs');
      assert.equal(error.message, 'parsed-graph-file: no graphs for image 7');
      return true;
    });
    await source.close();
    assert.deepEqual(readdirSync(tempDir), []);
  });

  it('rejects malformed graphs and names the problem', async () => {
    const [woman, piano] = graph.entities;
    const entities = [woman, piano];
    const cases: Record<string, [unknown, string]> = {
      1: ['x', 'expected a list of graphs, found "x"'],
      2: [[graph, null], 'graph 1: expected entities and relations, found null'],
      3: [
        [{ entities: [{ ...woman, span: '' }], relations: [] }],
        'graph 0, entity 0: expected span and lemma_head, found {',
      ],
      4: [[{ entities: [woman, 7], relations: [] }], 'graph 0, entity 1: expected span and lemma_head, found 7'],
      5: [
        [{ entities, relations: [{ subject: 0, object: 2, relation: 'on' }] }],
        'graph 0, relation 0: expected subject, object and relation, found {"subject":0,"object":2,"relation":"on"}',
      ],
      6: [
        [{ entities, relations: [{ subject: 0, object: 1, relation: '' }] }],
        'graph 0, relation 0: expected subject, object and relation, found {',
      ],
    };
    const path = join(folder, 'bad.json');
    writeFileSync(path, JSON.stringify(Object.fromEntries(Object.entries(cases).map(([id, [value]]) => [id, value]))));
    const source = parsedGraphFile({ graphs: path });
    for (const [id, [, problem]] of Object.entries(cases)) {
      await assert.rejects(source.graphs(image(Number(id))), (error: RecordError) => {
        assert.equal(error.reason, 'malformed-graph');
        assert.ok(error.message.startsWith(`parsed-graph-file: image ${id}: ${problem}`), error.message);
        return true;
      });
    }
    await source.close();
  });

  it('requires a path', () => {
    assert.throws(() => parsedGraphFile({ graphs: '' }), {
      message: "parsed-graph-file: 'graphs' is missing, expected a path or a glob",
    });
  });
});
