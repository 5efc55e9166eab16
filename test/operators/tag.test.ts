import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { pseudoLabelOptions } from '../../pipelines/pseudo-label.js';
import {
  baselineTagger,
  type Candidates,
  type Captioned,
  type ImageRecord,
  type RelationTagger,
  type TagOptions,
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

  it('merges the wordings of one fact about one pair into the most specific one, unless all are wanted', async () => {
    const said: Candidates['candidates'] = [
      {
        subject: 0,
        object: 1,
        texts: [
          { text: 'on', captions: [0, 1] },
          { text: 'sitting on', captions: [3] },
          { text: 'next to', captions: [2] },
          { text: 'sits on', captions: [1, 4] },
          { text: 'standing on', captions: [5] },
          { text: 'by', captions: [6] },
        ],
      },
    ];
    const record = {
      ...captionedRecord(
        [
          ['person', 0, 0, 9, 9],
          ['bench', 0, 0, 9, 9],
        ],
        'a',
        'b',
        'c',
      ),
      candidates: said,
    };
    const relationsOf = async (options: TagOptions) =>
      (await firstValueFrom(of(record).pipe(tag(counting(), { threshold: 0, ...options })))).relations;
    const merged = await relationsOf({});
    assert.deepEqual(
      merged.map(({ predicate, captions, wordings = [] }) => [
        predicate,
        captions,
        wordings.map((one) => one.predicate),
      ]),
      [
        ['sits on', [0, 1, 3, 4], ['sitting on', 'on']],
        ['by', [2, 6], ['next to']],
        ['standing on', [5], []],
      ],
    );
    const confidences = merged[0]!.wordings!.map(({ confidence }) => confidence);
    assert.ok(confidences.every((confidence) => confidence <= merged[0]!.confidence!));
    assert.equal((await relationsOf({ allWordings: true })).length, 6);
    assert.equal((await relationsOf({ allWordings: true })).filter(({ wordings }) => wordings).length, 0);
  });

  it('keeps relations strictly above the threshold', async () => {
    assert.deepEqual(await relations(counting(), { threshold: 0.25 }), ['0 walking 2 0.3 [1]']);
    const half: RelationTagger = {
      ...counting(),
      tag: ({ pairs: p, texts }) => new Float32Array(p.length * texts.length).fill(0.5),
    };
    assert.deepEqual(await relations(half, { threshold: 0.5 }), []);
  });

  it('has the default threshold of the tagger, and the official one in compat', () => {
    assert.equal(tag(counting()).spec.options?.threshold, DEFAULT_THRESHOLD);
    assert.equal(tag({ ...counting(), threshold: 0.4 }).spec.options?.threshold, 0.4);
    const { description } = pseudoLabelOptions.threshold as { description?: string };
    assert.match(description!, /0\.5 for the baseline, else 0\.2\)/);
    assert.equal(tag(baselineTagger()).spec.options?.threshold, 0.5);
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
