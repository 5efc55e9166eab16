import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Review } from '../../src/records/review.js';
import type { SceneGraph } from '../../src/records/scene-graph.js';
import { relflow } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';
import { writeLines } from '../support/graph-lines.js';

const folder = temporaryFolder();
const path = (...parts: string[]) => join(folder, ...parts);

async function graphsOf(run: string): Promise<SceneGraph[]> {
  const text = await readFile(path(run, 'scene-graphs', '00000.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SceneGraph);
}

/** An edit of a relation of a graph; `minute` orders edits. */
function editOf(
  { image, objects, relations }: SceneGraph,
  place: number,
  what: Review['what'],
  { who = 'Ann', minute = 0 } = {},
): Review {
  const { subject, predicate, object } = relations[place]!;
  const ref = (index: number) => ({ place: index, id: objects[index]!.id });
  return {
    format: 'relflow.review/1',
    id: randomUUID(),
    who,
    when: `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`,
    image: { dataset: image.dataset, id: image.id, file: image.file },
    relation: { subject: ref(subject), predicate, object: object === null ? null : ref(object) },
    what,
  };
}

describe('relflow apply', () => {
  let graphs: SceneGraph[];
  before(async () => {
    assert.equal((await relflow(['run', 'demo', '--out', path('run'), '--progress', 'none'])).code, 0);
    graphs = await graphsOf('run');
  });

  it('makes a valid set with what people approved, changed and drew, and without what they rejected', async () => {
    const [graph] = graphs as [SceneGraph];
    const { image, objects } = graph;
    const ref = (place: number) => ({ place, id: objects[place]!.id });
    const to = { subject: ref(1), predicate: 'beneath', object: ref(7) };
    const drawn = {
      ...editOf(graph, 0, { action: 'add' }),
      relation: { subject: ref(3), predicate: 'above', object: ref(6) },
    };
    const mistake = editOf(graph, 3, { action: 'reject' }, { minute: 1 });
    const undo = editOf(graph, 3, { action: 'undo', edit: mistake.id }, { minute: 2 });
    await writeLines(path('ann.jsonl'), [editOf(graph, 0, { action: 'approve' }), drawn, undo]);
    // In another order, and with lines that both files have.
    await writeLines(path('ben.jsonl'), [
      editOf(graph, 1, { action: 'change', to }),
      mistake,
      undo,
      editOf(graph, 2, { action: 'reject' }),
    ]);
    const { code, stdout, stderr } = await relflow([
      ...['apply', path('ann.jsonl'), path('ben.jsonl'), path('run'), '--out', path('applied')],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^4 edits hold; relations: 1 added, 1 approved, 1 changed, \d+ not-reviewed, 1 rejected$/m);
    const [made] = await graphsOf('applied');
    assert.deepEqual(made!.image, image);
    assert.deepEqual(made!.relations, [
      { subject: 0, object: 7, predicate: 'perched on' },
      { subject: 1, object: 7, predicate: 'beneath' },
      graph.relations[3],
      { subject: 3, object: 6, predicate: 'above' },
    ]);
    assert.deepEqual(
      made!.provenance.operators.map(({ name }) => name),
      ['scene-graph-lines', 'apply-reviews'],
    );
    assert.match((await relflow(['validate', path('applied')])).stdout, /: valid/);
    const people = await relflow([
      ...['export', path('applied'), '--format', 'coco', '--where', 'tagger = "people" and source = "people"'],
      ...['--out', path('people.json')],
    ]);
    assert.match(people.stdout, /from 24 images with 3 relations$/m);
  });

  it('keeps only reviewed relations on request, and says where people disagree', async () => {
    const graph = graphs[1 + graphs.slice(1).findIndex(({ relations }) => relations.length >= 2)]!;
    await writeLines(path('both.jsonl'), [
      editOf(graph, 0, { action: 'reject' }, { who: 'Ben', minute: 5 }),
      editOf(graph, 0, { action: 'approve' }, { who: 'Ann', minute: 6 }),
      editOf(graph, 1, { action: 'unsure' }),
    ]);
    const { code, stdout, stderr } = await relflow([
      ...['apply', path('both.jsonl'), path('run'), '--out', path('gold'), '--reviewed-only', '--json'],
    ]);
    assert.equal(code, 0, stderr);
    const { counts, edits } = JSON.parse(stdout) as { counts: Record<string, number>; edits: number };
    assert.equal(edits, 3);
    assert.deepEqual([counts['approved'], counts['unsure'], counts['conflict']], [1, 1, 1]);
    const made = await graphsOf('gold');
    assert.deepEqual(
      made[graphs.indexOf(graph)]!.relations.map(({ predicate, confidence }) => [predicate, confidence]),
      [
        [graph.relations[0]!.predicate, undefined],
        [graph.relations[1]!.predicate, graph.relations[1]!.confidence],
      ],
    );
    assert.equal(
      made.reduce((sum, { relations }) => sum + relations.length, 0),
      2,
    );
  });

  it('names edits that do not fit, and refuses those of another set', async () => {
    const [graph] = graphs as [SceneGraph];
    const wrong = editOf(graph, 0, { action: 'approve' });
    await writeLines(path('mixed.jsonl'), [
      editOf(graph, 0, { action: 'approve' }),
      { ...wrong, id: randomUUID(), relation: { ...wrong.relation, predicate: 'no such' } },
      { ...wrong, id: randomUUID(), image: { ...wrong.image, id: 'another' } },
      { format: 'relflow.review/1' },
    ]);
    const mixed = await relflow(['apply', path('mixed.jsonl'), path('run'), '--out', path('mixed')]);
    assert.equal(mixed.code, 0, mixed.stderr);
    assert.match(mixed.stderr, /mixed\.jsonl: line 4 is left out: the value must have required property 'id'/);
    assert.match(mixed.stderr, /^1 edits are of relations that run does not have$/m);
    assert.match(mixed.stderr, /^1 edits are of images that run does not have$/m);
    await writeLines(path('other.jsonl'), [{ ...wrong, image: { ...wrong.image, dataset: 'other' } }]);
    const other = await relflow(['apply', path('other.jsonl'), path('run'), '--out', path('other')]);
    assert.equal(other.code, 1);
    assert.match(other.stderr, /none of the edits is of an image of .*run; is it the set that was reviewed\?/);
    const none = await relflow(['apply', path('run'), '--out', path('none')]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /reviews\.jsonl: no such file, expected edits that relflow view wrote/);
  });
});
