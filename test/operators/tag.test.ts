import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { pseudoLabelOptions } from '../../pipelines/pseudo-label.js';
import {
  type Candidates,
  type Captioned,
  type ImageRecord,
  type RelationTagger,
  type TagRequest,
  tag,
} from '../../src/index.js';
import { DEFAULT_THRESHOLD } from '../../src/operators/tag.js';
import { captionedRecord } from '../support/records.js';

describe('tag', () => {
  /** Returns 0.1 for the first text of a request, 0.2 for the second… and records the requests. */
  function counting(pairsAtOnce?: number): RelationTagger & { requests: TagRequest[] } {
    const requests: TagRequest[] = [];
    return {
      name: 'counting',
      version: '1',
      baseline: false,
      ...(pairsAtOnce && { pairsAtOnce }),
      requests,
      tag: (request) => {
        requests.push(request);
        return Float32Array.from(
          { length: request.pairs.length * request.texts.length },
          (_, i) => ((i % request.texts.length) + 1) / 10,
        );
      },
    };
  }

  const record: ImageRecord & Captioned & Candidates = {
    ...captionedRecord(
      [
        ['person', 0, 0, 10, 10],
        ['horse', 5, 5, 10, 10],
        ['dog', 9, 9, 10, 10],
      ],
      'one',
      'two',
    ),
    candidates: [
      {
        subject: 0,
        object: 1,
        texts: [
          { text: 'riding', captions: [0, 1] },
          { text: 'near', captions: [1] },
        ],
      },
      { subject: 0, object: 2, texts: [{ text: 'walking', captions: [1] }] },
      { subject: 2, object: 1, texts: [{ text: 'near', captions: [0] }] },
    ],
  };
  const relations = async (...args: Parameters<typeof tag>) =>
    (await firstValueFrom(of(record).pipe(tag(...args)))).relations.map(
      (r) => `${r.subject} ${r.predicate} ${r.object} ${r.confidence} [${r.captions}]`,
    );

  it('leaves out pairs of a category that the tagger does not know, and counts the boxes by name', async () => {
    const tagger = { ...counting(), knowsCategory: (category: string) => category !== 'dog' };
    const counts: Record<string, number> = {};
    const count = (name: string, by = 1) => {
      counts[name] = (counts[name] ?? 0) + by;
    };
    const context = { signal: new AbortController().signal, count };
    const tagged = (await tag(tagger).spec.apply(record, context)) as unknown as {
      relations: { subject: number; object: number }[];
    };
    assert.deepEqual(
      tagger.requests.map(({ pairs }) => pairs.map(({ subject, object }) => [subject, object])),
      [[[0, 1]]],
    );
    assert.ok(tagged.relations.every(({ subject, object }) => subject !== 2 && object !== 2));
    assert.equal(counts['category-unknown-to-tagger'], 1);
    assert.equal(counts['category-unknown-to-tagger: dog'], 1);
  });

  it('gives the tagger the categories of the data set as models read them', async () => {
    const tagger = counting();
    await firstValueFrom(of({ ...record, categories: ['Horse', 'tvmonitor'] }).pipe(tag(tagger)));
    assert.deepEqual(
      [...tagger.requests[0]!.labels!],
      [
        ['Horse', 'horse'],
        ['tvmonitor', 'tv'],
        ['person', 'person'],
        ['horse', 'horse'],
        ['dog', 'dog'],
      ],
    );
  });

  it('requests the union of texts and keeps the texts of each pair', async () => {
    const tagger = counting();
    assert.deepEqual(await relations(tagger, { threshold: 0 }), [
      '0 riding 1 0.1 [0,1]',
      '0 near 1 0.2 [1]',
      '0 walking 2 0.3 [1]',
      '2 near 1 0.2 [0]',
    ]);
    assert.deepEqual(
      tagger.requests.map(({ texts, pairs: asked }) => [texts, asked.length]),
      [[['riding', 'near', 'walking'], 3]],
    );
  });

  it('splits pairs into batches that the tagger accepts, with the same texts each time', async () => {
    const tagger = counting(2);
    assert.equal((await relations(tagger, { threshold: 0 })).length, 4);
    assert.deepEqual(
      tagger.requests.map(({ texts, pairs: asked }) => [texts.length, asked.length]),
      [
        [3, 2],
        [3, 1],
      ],
    );
  });

  it('keeps relations strictly above the threshold', async () => {
    assert.deepEqual(await relations(counting(), { threshold: 0.25 }), ['0 walking 2 0.3 [1]']);
    const half: RelationTagger = {
      ...counting(),
      tag: ({ pairs: p, texts }) => new Float32Array(p.length * texts.length).fill(0.5),
    };
    assert.deepEqual(await relations(half, { threshold: 0.5 }), []);
  });

  it('has the same default threshold in the SDK and in recipes, and the official one in compat', () => {
    assert.equal(tag(counting()).spec.options?.threshold, DEFAULT_THRESHOLD);
    assert.equal((pseudoLabelOptions.threshold as { default?: number }).default, DEFAULT_THRESHOLD);
    assert.equal(tag(counting(), { compat: true }).spec.options?.threshold, 0.05);
  });

  it('scores every text of a pass for every pair in compat, and repeated pairs again', async () => {
    const tagger = counting();
    const found = await relations(tagger, { compat: true, groupSize: 2 });
    assert.deepEqual(
      tagger.requests.map(({ texts, pairs: asked }) => [texts, asked.length]),
      [
        [['riding', 'near', 'walking'], 2],
        [['riding', 'near', 'walking'], 2],
      ],
    );
    assert.equal(found.length, 12);
    assert.ok(found.includes(`0 walking 1 ${Math.fround(0.3)} []`), 'a text that no caption proposed for the pair');
  });

  it('rejects an image with scores that are not numbers, and fails if the number of scores is wrong', async () => {
    const odd = (scores: Float32Array): RelationTagger => ({ ...counting(), tag: () => scores });
    await assert.rejects(relations(odd(new Float32Array(9).fill(Number.NaN))), { reason: 'bad-score' });
    await assert.rejects(relations(odd(new Float32Array(4))), {
      message: 'tag: counting returned 4 scores, expected 3 pairs × 3 texts',
    });
  });
});
