import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { evaluateRelationJudgments, relationJudgments } from '../../src/evaluation/index.js';
import { imageLot } from '../../src/records/image-lot.js';
import { increment } from '../../src/records/increment.js';
import type { Review } from '../../src/records/review.js';
import { schemaProblem } from '../../src/records/schema-problem.js';
import type { Alike, EditAction, EditLog, EditReply, NewEdit, Queue } from '../../src/view/review-api.js';
import type { Facets, ImageDetail, ImagePage, RelationRef, SetInfo } from '../../src/view/view-api.js';
import { temporaryFolder } from '../support/folders.js';
import { variedGraphs } from '../support/graph-lines.js';
import { type TestView, viewOf } from '../support/view-server.js';

const graphs = variedGraphs(60);
const withRelations = graphs.flatMap(({ relations }, key) => (relations.length > 1 ? [key] : []));

const newEdit = (image: number, relation: RelationRef, what: EditAction): NewEdit => ({
  id: randomUUID(),
  image,
  relation,
  what,
});

const refOf = (image: number, place: number): RelationRef => {
  const { subject, predicate, object } = graphs[image]!.relations[place]!;
  return { subject, predicate, object };
};

const post = (view: TestView, body: unknown) =>
  view.fetch('/api/edits', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

async function save(view: TestView, ...edits: NewEdit[]): Promise<EditReply> {
  const response = await post(view, { edits });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()) as EditReply;
}

const linesOf = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Review);

describe('the edits of view', () => {
  const folder = temporaryFolder();
  const reviews = join(folder, 'reviews.jsonl');
  let view: TestView;
  const [first = 0, second = 0, third = 0] = withRelations;
  const stateOf = async (image: number, place: number, on = view) =>
    (await on.get<ImageDetail>(`/api/images/${image}`)).relations[place]!.review;

  before(async () => {
    view = await viewOf(graphs, { reviews, reviewer: 'Ann' });
  });
  after(() => view.view.close());

  it('are one line each, of the published form, and stay after a restart', async () => {
    const edit = newEdit(first, refOf(first, 0), { action: 'approve' });
    const { saved, images } = await save(view, edit);
    assert.deepEqual(saved, [edit.id]);
    assert.equal(images[0]?.relations[0]?.review.state, 'approved');
    await save(view, newEdit(first, refOf(first, 1), { action: 'reject', triplet: 'yes' }));
    const lines = await linesOf(reviews);
    assert.deepEqual(
      lines.map((line) => [line.who, line.what.action, schemaProblem('review', line)]),
      [
        ['Ann', 'approve', null],
        ['Ann', 'reject', null],
      ],
    );
    const again = await viewOf(graphs, { reviews, reviewer: 'Ben' });
    assert.equal((await stateOf(first, 1, again)).state, 'rejected');
    assert.equal((await again.get<SetInfo>('/api/set')).reviews.edits, 2);
    await again.view.close();
  });

  it('sent twice are saved once', async () => {
    const edit = newEdit(first, refOf(first, 0), { action: 'approve' });
    const before = (await linesOf(reviews)).length;
    await save(view, edit);
    await save(view, edit);
    assert.equal((await linesOf(reviews)).length, before + 1);
  });

  it('are undone, and the undoing is undone', async () => {
    const change = newEdit(second, refOf(second, 0), {
      action: 'change',
      to: { subject: 1, predicate: 'chasing', object: 0 },
    });
    await save(view, change);
    assert.deepEqual((await stateOf(second, 0)).to, { subject: 1, predicate: 'chasing', object: 0 });
    const undo = newEdit(second, refOf(second, 0), { action: 'undo', edit: change.id });
    await save(view, undo);
    assert.equal((await stateOf(second, 0)).state, 'unreviewed');
    await save(view, newEdit(second, refOf(second, 0), { action: 'undo', edit: undo.id }));
    assert.equal((await stateOf(second, 0)).state, 'changed');
    const { edits, total } = await view.get<EditLog>('/api/edits?limit=3');
    assert.ok(total >= 6);
    assert.deepEqual(
      edits.map(({ what, isUndone }) => [what.action, isUndone]),
      [
        ['undo', false],
        ['undo', true],
        ['change', false],
      ],
    );
  });

  it('draw relations, which filters find', async () => {
    const relation = { subject: 0, predicate: 'feeding', object: 1 };
    const { images } = await save(view, newEdit(third, relation, { action: 'add' }));
    assert.equal(images[0]?.relations.at(-1)?.review.state, 'added');
    const page = await view.get<ImagePage>('/api/images?predicate=feeding');
    assert.deepEqual(
      page.images.map(({ key, sample }) => [key, sample[0]?.predicate]),
      [[third, 'feeding']],
    );
    const { review } = await view.get<Facets>('/api/facets');
    const all = graphs.reduce((sum, { relations }) => sum + relations.length, 0);
    assert.deepEqual(
      new Map(review.map(({ value, count }) => [value, count])),
      new Map([
        ['unreviewed', all - 3],
        ['approved', 1],
        ['rejected', 1],
        ['changed', 1],
        ['added', 1],
      ]),
    );
    for (const [state, keys] of [
      ['rejected', [first]],
      ['changed', [second]],
      ['added', [third]],
    ] as const) {
      const found = await view.get<ImagePage>(`/api/images?review=${state}`);
      assert.deepEqual(
        found.images.map(({ key }) => key),
        keys,
      );
    }
    const taken = await save(view, newEdit(third, relation, { action: 'reject' }));
    assert.equal(taken.images[0]?.relations.at(-1)?.review.state, 'rejected');
  });

  it('of what the set does not have are refused, and none of a request is saved', async () => {
    const before = (await linesOf(reviews)).length;
    const good = newEdit(first, refOf(first, 0), { action: 'approve' });
    for (const [bad, message] of [
      [newEdit(9999, refOf(first, 0), { action: 'approve' }), /there is no image 9999/],
      [newEdit(first, { subject: 99, predicate: 'on', object: 0 }, { action: 'add' }), /names object 99/],
      [newEdit(first, { ...refOf(first, 0), predicate: 'no such' }, { action: 'approve' }), /has no such relation/],
      [newEdit(first, refOf(first, 0), { action: 'undo', edit: randomUUID() }), /there is no edit/],
      [{ ...good, id: 'x' }, /not a UUID/],
      [{ ...good, what: { action: 'erase' } }, /none of approve/],
    ] as const) {
      const response = await post(view, { edits: [good, bad] });
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { error: string }).error, message);
    }
    assert.equal((await linesOf(reviews)).length, before);
  });

  it('of two servers at one file are all kept, and each shows the other’s', async () => {
    const file = join(folder, 'shared.jsonl');
    const views = await Promise.all(['Ann', 'Ben'].map((reviewer) => viewOf(graphs, { reviews: file, reviewer })));
    const edits = views.map((_, index) =>
      withRelations
        .slice(0, 25)
        .map((key) => newEdit(key, refOf(key, index), { action: index ? 'reject' : 'approve' })),
    );
    await Promise.all(views.flatMap((one, index) => edits[index]!.map((edit) => save(one, edit))));
    const lines = await linesOf(file);
    assert.equal(new Set(lines.map(({ id }) => id)).size, 50);
    for (const one of views) {
      const { review } = await one.get<Facets>('/api/facets');
      assert.equal(review.find(({ value }) => value === 'approved')?.count, 25);
      assert.equal(review.find(({ value }) => value === 'rejected')?.count, 25);
    }
    for (const one of views) await one.view.close();
  });

  it('are the same in any order, and disagreements are shown; the last one holds', async () => {
    const file = join(folder, 'orders.jsonl');
    const [ann, ben] = await Promise.all(['Ann', 'Ben'].map((reviewer) => viewOf(graphs, { reviews: file, reviewer })));
    await save(ann!, newEdit(first, refOf(first, 0), { action: 'approve' }));
    await save(ben!, newEdit(first, refOf(first, 0), { action: 'reject' }));
    const expected = await stateOf(first, 0, ann);
    assert.deepEqual([expected.state, expected.who, expected.isConflict], ['rejected', 'Ben', true]);
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    await writeFile(file, [...lines.reverse(), ...lines].map((line) => `${line}\n`).join(''));
    assert.deepEqual(await stateOf(first, 0, ann), expected);
    for (const one of [ann!, ben!]) await one.view.close();
  });

  it('with a torn last line are said and repaired, without a loss', async () => {
    const file = join(folder, 'torn.jsonl');
    const one = await viewOf(graphs, { reviews: file });
    await save(one, newEdit(first, refOf(first, 0), { action: 'approve' }));
    await appendFile(file, '{"format":"relflow.review/1","id":"0000');
    assert.match((await one.get<SetInfo>('/api/set')).reviews.problem!, /^the last line is incomplete \(39 bytes\)/);
    await save(one, newEdit(second, refOf(second, 0), { action: 'reject' }));
    assert.equal((await linesOf(file)).length, 2);
    assert.equal((await one.get<SetInfo>('/api/set')).reviews.problem, undefined);
    // An editor may leave the last line without its end.
    await writeFile(file, (await readFile(file, 'utf8')).trimEnd());
    await save(one, newEdit(third, refOf(third, 0), { action: 'unsure' }));
    assert.equal((await linesOf(file)).length, 3);
    await appendFile(file, 'not an edit\n');
    assert.match((await one.get<SetInfo>('/api/set')).reviews.problem!, /^line 4 is left out: it is not JSON/);
    await one.view.close();
  });
});

describe('the queue of view', () => {
  it('draws the images of relflow sample, and its file is read by relflow evaluate judged', async () => {
    const folder = temporaryFolder();
    const view = await viewOf(graphs, { reviews: join(folder, 'reviews.jsonl') });
    const drawn = graphs
      .map(({ image }, key) => ({ key, lot: imageLot(3, image) }))
      .sort((a, b) => a.lot - b.lot)
      .slice(0, 10)
      .map(({ key }) => key)
      .sort((a, b) => a - b);
    const expected = drawn.flatMap((key) => graphs[key]!.relations.map((_, place) => [key, place]));
    const address = '/api/queue?order=random&seed=3&images=10&limit=200';
    const queue = await view.get<Queue>(address);
    assert.deepEqual(
      queue.items.map(({ image, relation }) => [image, relation]),
      expected,
    );
    assert.equal(queue.firstOpen, 0);
    for (const [number, [key = 0, place = 0]] of expected.entries()) {
      const action = number % 3 === 0 ? 'reject' : number % 7 === 0 ? 'unsure' : 'approve';
      await save(view, newEdit(key, refOf(key, place), { action }));
    }
    const done = await view.get<Queue>(address);
    const wrong = expected.filter((_, number) => number % 3 === 0).length;
    const unsure = expected.filter((_, number) => number % 3 !== 0 && number % 7 === 0).length;
    assert.equal(done.firstOpen, expected.length);
    assert.deepEqual(done.progress, {
      judged: expected.length - unsure,
      unsure,
      images: new Set(expected.map(([key]) => key)).size,
      imagesDone: new Set(expected.map(([key]) => key)).size,
    });
    assert.equal(done.precision.value, (expected.length - unsure - wrong) / (expected.length - unsure));
    assert.ok(done.precision.low! < done.precision.value! && done.precision.value! < done.precision.high!);
    const csv = join(folder, 'relations.csv');
    const response = await view.fetch('/api/judged.csv?order=random&seed=3&images=10');
    await writeFile(csv, await response.text());
    const bad: unknown[] = [];
    const rows = await relationJudgments(csv, (row) => bad.push(row));
    assert.deepEqual(bad, []);
    const withoutObject = drawn.flatMap((key) => graphs[key]!.relations).filter(({ object }) => object === null).length;
    assert.equal(rows.length, expected.length - withoutObject);
    assert.equal(response.headers.get('x-relations-without-object'), String(withoutObject));
    const { unjudged, pair, match } = evaluateRelationJudgments(rows);
    assert.equal(unjudged, 0);
    assert.ok(pair.of > 5);
    assert.equal(match.of, 0, 'what holds alone says nothing about the boxes of the rest');
    for (const [number, [key = 0, place = 0]] of expected.entries()) {
      if (number % 3 !== 0) continue;
      const isRight = number % 2 === 0;
      await save(view, newEdit(key, refOf(key, place), { action: 'reject', match: isRight ? 'yes' : 'no' }));
    }
    await writeFile(csv, await (await view.fetch('/api/judged.csv?order=random&seed=3&images=10')).text());
    const answered = evaluateRelationJudgments(await relationJudgments(csv, () => {}));
    assert.equal(answered.match.of, answered.pair.of);
    assert.ok(answered.match.count > answered.pair.count && answered.match.count < answered.match.of);
    await view.view.close();
  });

  it('finds the relations of a queue with the same names, of which those without a judgment are open', async () => {
    const view = await viewOf(graphs);
    const namesOf = (image: number, place: number) => {
      const { objects, relations } = graphs[image]!;
      const { subject, predicate, object } = relations[place]!;
      return [subject, object]
        .map((index) => objects[index ?? -1]?.category ?? '')
        .concat(predicate)
        .join();
    };
    for (const address of [
      'order=random&seed=3&images=40',
      'order=uncertain&source=caption',
      'order=random&images=60',
    ]) {
      const { items } = await view.get<Queue>(`/api/queue?${address}&limit=200`);
      const times = new Map<string, number>();
      for (const { image, relation } of items) increment(times, namesOf(image, relation));
      const most = Math.max(...times.values());
      assert.ok(most > 1);
      const one = items.find(({ image, relation }) => times.get(namesOf(image, relation)) === most)!;
      const expected = items.filter(
        ({ image, relation }) => namesOf(image, relation) === namesOf(one.image, one.relation),
      );
      const ask = () => view.get<Alike>(`/api/queue/alike?${address}&image=${one.image}&relation=${one.relation}`);
      const before = expected.filter(({ state }) => state === 'unreviewed');
      const alike = await ask();
      assert.deepEqual(
        [alike.open, alike.judged, alike.images],
        [before.length, expected.length - before.length, new Set(before.map(({ image }) => image)).size],
      );
      assert.deepEqual(
        new Set(alike.relations.map(({ image, relation }) => JSON.stringify([image, relation]))),
        new Set(before.map(({ image, relation }) => JSON.stringify([image, refOf(image, relation)]))),
      );
      if (before.length === 0) continue;
      await save(view, ...alike.relations.map(({ image, relation }) => newEdit(image, relation, { action: 'reject' })));
      const after = await ask();
      assert.deepEqual([after.open, after.judged, after.relations.length], [0, expected.length, 0]);
    }
    assert.equal((await view.fetch('/api/queue/alike?image=0&relation=99')).status, 404);
    await view.view.close();
  });

  it('takes the least certain relations first', async () => {
    const view = await viewOf(graphs, { reviews: join(temporaryFolder(), 'reviews.jsonl') });
    const queue = await view.get<Queue>('/api/queue?order=uncertain&limit=20');
    const distances = graphs
      .flatMap(({ relations }) => relations.flatMap(({ confidence }) => (confidence === undefined ? [] : [confidence])))
      .map((confidence) => Math.abs(confidence - 0.5))
      .sort((a, b) => a - b);
    assert.deepEqual(
      queue.items.map(({ confidence }) => Math.abs(confidence! - 0.5).toFixed(6)),
      distances.slice(0, 20).map((distance) => distance.toFixed(6)),
    );
    assert.equal(queue.total, distances.length);
    assert.equal(queue.isRepresentative, false);
    const [item] = queue.items;
    await save(view, newEdit(item!.image, refOf(item!.image, item!.relation), { action: 'approve' }));
    const next = await view.get<Queue>('/api/queue?order=uncertain&limit=1');
    assert.deepEqual([next.firstOpen, next.items[0]?.state, next.precision.of], [1, 'approved', 1]);
    await view.view.close();
  });
});
