import assert from 'node:assert/strict';
import { from, lastValueFrom, toArray } from 'rxjs';
import {
  baselineTagger,
  checkWiring,
  describeGraph,
  drawMermaid,
  drawText,
  Graph,
  type ImageRecord,
  match,
  operator,
  pair,
  RecordError,
  type Reject,
  sample,
  sceneGraphs,
  tag,
  WiringError,
} from '../../src/index.js';
import { collect, imageRecord, images, memorySource } from '../support/records.js';

/** Operator that takes longer for some records than for later ones. */
const slow = operator({
  name: 'slow',
  version: '1',
  needs: ['image'],
  adds: [],
  concurrency: 8,
  apply: async ({ image }: ImageRecord) => {
    await new Promise((resolve) => setTimeout(resolve, (Number(image.id) * 7) % 5));
    return {};
  },
});

describe('Graph', () => {
  describe('wiring, checked before any work', () => {
    it('names the stage, the missing field and an operator that adds it', () => {
      const graph = new Graph('wrong');
      // biome-ignore lint/suspicious/noExplicitAny: tests a call that the compiler rejects
      (graph.from(memorySource(images(1))) as any).pipe(pair());
      assert.throws(() => checkWiring(graph), {
        name: 'WiringError',
        code: 'bad-wiring',
        message:
          "wrong: 'pair' needs the field 'phrases', but its records have only image, detections, origin; add a stage before it that adds the field, such as parse()",
      });
    });

    it('keeps only the common fields after a merge', () => {
      const graph = new Graph('merged');
      const a = graph.from(memorySource(images(1), ['image', 'detections', 'relations', 'tagger', 'origin']));
      const b = graph.from(memorySource(images(1)));
      // biome-ignore lint/suspicious/noExplicitAny: tests a call that the compiler rejects
      graph.merge(a, b).to(sceneGraphs() as any);
      assert.throws(() => checkWiring(graph), /'scene-graphs' needs the field 'relations'/);
    });

    it('rejects an empty graph and a flow of another graph', () => {
      assert.throws(() => checkWiring(new Graph('nothing')), WiringError);
      const one = new Graph('one');
      const other = new Graph('other');
      const flows = [one.from(memorySource(images(1))), other.from(memorySource(images(1)))] as const;
      assert.throws(() => one.merge(...flows), { message: 'one: merge got a flow of another graph, other' });
    });

    it('reads nothing before the check passes', async () => {
      const graph = new Graph('wrong');
      const source = memorySource(images(3));
      // biome-ignore lint/suspicious/noExplicitAny: tests a call that the compiler rejects
      const flow = (graph.from(source) as any).pipe(tag(baselineTagger()));
      await assert.rejects(collect(flow.records()), WiringError);
      assert.equal(source.reads, 0);
    });
  });

  describe('as data', () => {
    const graph = new Graph('plan');
    const flow = graph.from(memorySource(images(1))).pipe(sample({ rate: 0.5, seed: 3 }));
    graph.merge(
      flow,
      flow.filter('wide', ({ image }) => image.width > 100),
    );

    it('lists nodes with versions, options and edges', () => {
      assert.deepEqual(
        describeGraph(graph).map(({ id, kind, inputs }) => [id, kind, ...inputs]),
        [
          ['memory', 'source'],
          ['sample', 'stage', 'memory'],
          ['wide', 'stage', 'sample'],
          ['merge', 'merge', 'sample', 'wide'],
        ],
      );
      assert.deepEqual(describeGraph(graph)[1]?.options, { rate: 0.5, seed: 3 });
    });

    it('is drawn as text and as a Mermaid chart', () => {
      assert.match(drawText(graph), /^▸ memory {2}\+image \+detections \+origin\n· sample ← memory {2}needs image\n/);
      assert.match(drawMermaid(graph), /^flowchart LR\n {2}n0\[\("memory<br\/>.*\n[\s\S]*n0 --> n1/);
    });
  });

  it('is drawn with any characters in its node names', () => {
    const graph = new Graph('odd');
    graph.from({ ...memorySource(images(1), ['image', 'x|"y"']), name: 'a "b"] <c> #1; été' });
    const label = 'a #34;b#34;#93; #60;c#62; #35;1#59; été<br/>+image +x#124;#34;y#34;';
    assert.equal(drawMermaid(graph), `flowchart LR\n  n0[("${label}")]`);
  });

  describe('records', () => {
    it('arrive in the order of the input when some take longer than others', async () => {
      const flow = new Graph('order').from(memorySource(images(200))).pipe(slow);
      const ids = (await collect(flow.records())).map((record) => record.image.id);
      assert.deepEqual(
        ids,
        Array.from({ length: 200 }, (_, index) => index + 1),
      );
    });

    it('are pulled: when the consumer stops, the source stops', async () => {
      const source = memorySource(images(10_000));
      let seen = 0;
      for await (const _ of new Graph('pull').from(source).pipe(slow).records()) if (++seen === 5) break;
      assert.ok(source.reads < 100, `${source.reads} records were read for 5`);
    });

    it('branch and merge again in an order that does not depend on timing', async () => {
      const graph = new Graph('diamond');
      const flow = graph.from(memorySource(images(50)));
      const even = flow.filter('even', ({ image }) => Number(image.id) % 2 === 0);
      const ids = (await collect(graph.merge(flow.pipe(slow), even).records())).map(({ image }) => image.id);
      const expected = Array.from({ length: 50 }, (_, index) => index + 1).flatMap((id) => (id % 2 ? [id] : [id, id]));
      assert.deepEqual(ids, expected);
    });

    it('of several sources arrive one source after another', async () => {
      const graph = new Graph('sets');
      const merged = graph.merge(graph.from(memorySource(images(3))), graph.from(memorySource(images(2, 100))));
      assert.deepEqual(
        (await collect(merged.records())).map(({ image }) => image.id),
        [1, 2, 3, 100, 101],
      );
    });

    it('that are rejected are thrown, or passed to onReject', async () => {
      const picky = operator({
        name: 'picky',
        version: '1',
        needs: ['image'],
        adds: [],
        apply: ({ image }: ImageRecord) => {
          if (image.id === 2) throw new RecordError('two', 'this is image 2');
          return {};
        },
      });
      const flow = new Graph('picky').from(memorySource(images(3))).pipe(picky);
      await assert.rejects(collect(flow.records()), { reason: 'two', message: 'picky: this is image 2' });
      const rejects: Reject[] = [];
      const kept = await collect(flow.records({ onReject: (reject) => rejects.push(reject) }));
      assert.deepEqual(
        kept.map(({ image }) => image.id),
        [1, 3],
      );
      assert.deepEqual(rejects, [
        { format: 'relflow.reject/1', stage: 'picky', reason: 'two', message: 'this is image 2', record: 1, image: 2 },
      ]);
    });

    it('are available as an Observable', async () => {
      const flow = new Graph('rx').from(memorySource(images(3)));
      const all = await lastValueFrom(flow.observable().pipe(toArray()));
      assert.deepEqual(
        all.map(({ image }) => image.id),
        [1, 2, 3],
      );
    });
  });

  describe('operators', () => {
    it('are plain RxJS operators that keep the order and have separate state for each subscription', async () => {
      const records$ = from(images(40).map((item) => item.record!));
      const ordered$ = records$.pipe(slow, sample({ rate: 0.5 }));
      const [first, second] = await Promise.all([
        lastValueFrom(ordered$.pipe(toArray())),
        lastValueFrom(ordered$.pipe(toArray())),
      ]);
      assert.deepEqual(first, second);
      const ids = first.map(({ image }) => Number(image.id));
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
      );
      assert.ok(ids.length > 5 && ids.length < 35);
    });

    it('emit a rejected record as the error notification', async () => {
      const picky = operator({
        name: 'picky',
        version: '1',
        needs: ['image'],
        adds: [],
        apply: (_: ImageRecord): object => {
          throw new RecordError('never', 'no');
        },
      });
      await assert.rejects(lastValueFrom(from([imageRecord(1)]).pipe(picky)), { reason: 'never' });
    });

    it('receive an aborted signal after the subscriber unsubscribes', async () => {
      let given: AbortSignal | undefined;
      const endless = operator({
        name: 'endless',
        version: '1',
        needs: ['image'],
        adds: [],
        apply: (_: ImageRecord, { signal }): Promise<object> => {
          given = signal;
          return new Promise(() => {});
        },
      });
      const subscription = from([imageRecord(1)])
        .pipe(endless)
        .subscribe();
      assert.equal(given?.aborted, false);
      subscription.unsubscribe();
      assert.equal(given?.aborted, true);
    });

    it('may return any object with a then method', async () => {
      const later = operator({
        name: 'later',
        version: '1',
        needs: ['image'],
        adds: ['seen'],
        apply: ({ image }: ImageRecord): PromiseLike<{ seen: boolean }> => {
          const promise =
            image.id === 2 ? Promise.reject(new RecordError('two', 'no')) : Promise.resolve({ seen: true });
          // biome-ignore lint/suspicious/noThenProperty: the test is about it
          return { then: (...listeners) => promise.then(...listeners) };
        },
      });
      const rejects: string[] = [];
      const flow = new Graph('later').from(memorySource(images(3))).pipe(later);
      const seen = await collect(flow.records({ onReject: ({ reason }) => rejects.push(reason) }));
      assert.deepEqual(
        seen.map((record) => [record.image.id, record.seen]),
        [
          [1, true],
          [3, true],
        ],
      );
      assert.deepEqual(rejects, ['two']);
    });

    it('check their options when they are made', () => {
      assert.throws(() => sample({ rate: 2 }), { message: 'sample: rate 2, expected a number from 0 to 1' });
      assert.throws(() => pair({ maxPairs: 0 }), {
        message: 'pair: maxPairs 0, expected a whole number of at least 1',
      });
      assert.throws(
        () => match({ vocabulary: 'coco81' }),
        /^OptionError: match: unknown vocabulary 'coco81', expected one of/,
      );
      assert.throws(
        () => tag(baselineTagger(), { threshold: Number.NaN }),
        /threshold NaN, expected a number from 0 to 1/,
      );
    });

    it('sample the same images in any order, and more with a larger rate', async () => {
      const pick = async (rate: number, items: ReturnType<typeof images>) =>
        new Set(
          (
            await collect(
              new Graph('s')
                .from(memorySource(items))
                .pipe(sample({ rate, seed: 7 }))
                .records(),
            )
          ).map((r) => r.image.id),
        );
      const few = await pick(0.2, images(300));
      const more = await pick(0.5, images(300).reverse());
      assert.ok(few.size > 30 && few.size < 90 && more.size > 110 && more.size < 190);
      for (const id of few) assert.ok(more.has(id));
    });
  });
});
