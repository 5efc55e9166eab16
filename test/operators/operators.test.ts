import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstValueFrom, of } from 'rxjs';
import { pseudoLabelOptions } from '../../pipelines/pseudo-label.js';
import {
  baselineTagger,
  type Candidates,
  type Captioned,
  type ImageRecord,
  match,
  type PairOptions,
  pair,
  parse,
  type RelationTagger,
  type TagRequest,
  tag,
} from '../../src/index.js';
import { DEFAULT_THRESHOLD } from '../../src/operators/tag.js';
import { officialGroups } from '../../src/records/candidate-groups.js';
import { temporaryFolder } from '../support/folders.js';
import { imageRecord } from '../support/records.js';

type Boxes = Parameters<typeof imageRecord>[1];

const captioned = (boxes: Boxes, ...texts: string[]): ImageRecord & Captioned => ({
  ...imageRecord(1, boxes),
  captions: texts.map((text) => ({ text, source: 'test' })),
});

/** Candidates as `subject object: texts`. */
async function pairs(record: ImageRecord & Captioned, options?: PairOptions): Promise<string[]> {
  const { candidates } = await firstValueFrom(of(record).pipe(parse(), match(), pair(options)));
  return candidates.map(
    ({ subject, object, texts }) => `${subject} ${object}: ${texts.map(({ text }) => text).join(' | ')}`,
  );
}

/** Categories that the phrases of a caption name, in an image that has these. */
async function named(caption: string, present: readonly string[]): Promise<(string | null)[]> {
  const boxes = present.map((name, index): readonly [string, number, number, number, number] => [name, index, 0, 9, 9]);
  const { mentions } = await firstValueFrom(of(captioned(boxes, caption)).pipe(parse(), match()));
  return mentions.map(({ category }) => category);
}

describe('match', () => {
  it('goes by whole words and by the head of the phrase', async () => {
    assert.deepEqual(await named('a carrot next to a tractor', ['car', 'person']), [null, null]);
    assert.deepEqual(await named('a woman on a motorcycle', ['person', 'bicycle', 'motorcycle']), [
      'person',
      'motorcycle',
    ]);
    assert.deepEqual(await named('a hot dog on a plate', ['dog']), [null, null]);
    assert.deepEqual(await named('a hot dog next to a dog', ['dog', 'hot dog']), ['hot dog', 'dog']);
    assert.deepEqual(await named('two men with teddy bears', ['person', 'bear', 'teddy bear']), [
      'person',
      'teddy bear',
    ]);
  });

  it('tells two vocabularies of one name apart, so that a run is not resumed with another', () => {
    const [a, b] = [{ person: ['man'] }, { person: ['woman'] }].map((content) => {
      const file = join(temporaryFolder(), 'vocabulary.json');
      writeFileSync(file, JSON.stringify(content));
      return match({ vocabulary: file }).spec.options;
    });
    assert.notDeepEqual(a, b);
  });

  it('gives no category that the image does not have', async () => {
    assert.deepEqual(await named('a dog on a couch', ['dog']), ['dog', null]);
  });
});

describe('pair', () => {
  const scene: Boxes = [
    ['person', 0, 0, 10, 10],
    ['horse', 5, 5, 10, 10],
    ['person', 100, 0, 10, 10],
    ['dog', 200, 0, 10, 10],
  ];

  it('gives each ordered pair once, with its own texts', async () => {
    const record = captioned(
      scene,
      'a man riding a horse',
      'a woman riding a horse',
      'a person next to a horse',
      'a dog behind a man',
    );
    assert.deepEqual(await pairs(record), [
      '0 1: riding | next to',
      '2 1: riding | next to',
      '3 0: behind',
      '3 2: behind',
    ]);
  });

  it('says which captions propose a text', async () => {
    const record = captioned(scene, 'a man riding a horse', 'a dog behind a man', 'a woman riding a horse');
    const { candidates } = await firstValueFrom(of(record).pipe(parse(), match(), pair()));
    assert.deepEqual(candidates[0]?.texts, [{ text: 'riding', captions: [0, 2] }]);
  });

  it('asks two boxes for a relation of a category with itself', async () => {
    assert.deepEqual(await pairs(captioned(scene, 'a man next to a woman')), ['0 2: next to', '2 0: next to']);
    assert.deepEqual(await pairs(captioned(scene, 'a dog next to another dog')), []);
  });

  it('can ask for overlapping boxes', async () => {
    assert.deepEqual(await pairs(captioned(scene, 'a man riding a horse'), { overlap: true }), ['0 1: riding']);
  });

  it('keeps the nearest objects of each subject where there are too many', async () => {
    const many: Boxes = Array.from({ length: 6 }, (_, i): readonly [string, number, number, number, number] => [
      i % 2 ? 'horse' : 'person',
      i * 50,
      0,
      10,
      10,
    ]);
    assert.deepEqual(await pairs(captioned(many, 'a man riding a horse'), { maxPairs: 3 }), [
      '0 1: riding',
      '2 1: riding',
      '4 3: riding',
    ]);
    assert.equal((await pairs(captioned(many, 'a man riding a horse'), { maxPairs: 7 })).length, 7);
    assert.equal((await pairs(captioned(many, 'a man riding a horse'), { maxPairs: 2 })).length, 2);
  });

  it('gives what one subject does not need of its share to the others', async () => {
    const boxes: Boxes = [
      ['dog', 0, 0, 10, 10],
      ['bench', 10, 0, 10, 10],
      ...Array.from({ length: 6 }, (_, i) => ['horse', 20 + i * 20, 0, 10, 10] as const),
      ['person', 0, 50, 10, 10],
    ];
    const record = captioned(boxes, 'a dog on a bench', 'a man riding a horse');
    assert.deepEqual(await pairs(record, { maxPairs: 5 }), [
      '0 1: on',
      ...[2, 3, 4, 5].map((horse) => `8 ${horse}: riding`),
    ]);
  });

  it('counts what overlaps against the bound, not what does not', async () => {
    const many: Boxes = Array.from({ length: 20 }, (_, i): readonly [string, number, number, number, number] => [
      i % 2 ? 'horse' : 'person',
      Math.floor(i / 2) * 50,
      0,
      10,
      10,
    ]);
    assert.equal((await pairs(captioned(many, 'a man riding a horse'), { overlap: true, maxPairs: 20 })).length, 10);
  });

  it('stays quick with ten thousand boxes in an image', async () => {
    const crowd: Boxes = Array.from({ length: 10_000 }, (_, i): readonly [string, number, number, number, number] => {
      return [i % 2 ? 'horse' : 'person', (i * 37) % 600, (i * 53) % 400, 10, 10];
    });
    assert.equal((await pairs(captioned(crowd, 'a man riding a horse'))).length, 10_000);
  });
});

describe('officialGroups', () => {
  it('cuts repeated pairs into slices of the given size', () => {
    const texts = ['on', 'near', 'by'].map((text) => ({ text, captions: [0] }));
    assert.deepEqual(
      officialGroups(
        [
          { subject: 0, object: 1, texts },
          { subject: 1, object: 0, texts: texts.slice(1) },
        ],
        2,
      ),
      [
        [
          [
            [0, 1],
            [0, 1],
          ],
          ['on', 'near'],
        ],
        [
          [
            [0, 1],
            [1, 0],
          ],
          ['by', 'near'],
        ],
        [[[1, 0]], ['by']],
      ],
    );
    assert.deepEqual(officialGroups([{ subject: 0, object: 1, texts: texts.slice(1) }], 2).length, 2);
    assert.deepEqual(officialGroups([]), [[[], []]]);
  });
});

describe('tag', () => {
  /** Scores 0.1 for the first text of the request, 0.2 for the second… and notes what it was asked. */
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
    ...captioned(
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

  it('asks about the union of texts and keeps each pair’s own', async () => {
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

  it('cuts pairs to what the tagger takes, with the same texts each time', async () => {
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

  it('keeps what is above the threshold, strictly', async () => {
    assert.deepEqual(await relations(counting(), { threshold: 0.25 }), ['0 walking 2 0.3 [1]']);
    const half: RelationTagger = {
      ...counting(),
      tag: ({ pairs: p, texts }) => new Float32Array(p.length * texts.length).fill(0.5),
    };
    assert.deepEqual(await relations(half, { threshold: 0.5 }), []);
  });

  it('has one default threshold in the SDK and in recipes, and the official one in compat', () => {
    assert.equal(tag(counting()).spec.options?.threshold, DEFAULT_THRESHOLD);
    assert.equal((pseudoLabelOptions.threshold as { default?: number }).default, DEFAULT_THRESHOLD);
    assert.equal(tag(counting(), { compat: true }).spec.options?.threshold, 0.05);
  });

  it('in compat gives any text of a pass to any pair, and judges repeated pairs again', async () => {
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
    assert.ok(found.includes(`0 walking 1 ${Math.fround(0.3)} []`), 'a text that nobody proposed for the pair');
  });

  it('refuses an image whose scores are no numbers, and stops at a tagger that answers something else', async () => {
    const odd = (scores: Float32Array): RelationTagger => ({ ...counting(), tag: () => scores });
    await assert.rejects(relations(odd(new Float32Array(9).fill(Number.NaN))), { reason: 'bad-score' });
    await assert.rejects(relations(odd(new Float32Array(4))), {
      message: 'tag: counting returned 4 scores, expected 3 pairs × 3 texts',
    });
  });
});

describe('baselineTagger', () => {
  const scores = async (boxes: Boxes, ...texts: string[]) => {
    const record = captioned(boxes, ...texts);
    const found = await firstValueFrom(
      of(record).pipe(parse(), match(), pair(), tag(baselineTagger(), { threshold: 0 })),
    );
    return new Map(found.relations.map((r) => [`${r.subject} ${r.predicate} ${r.object}`, r.confidence!]));
  };

  it('prefers the rider on the horse to the person beside it', async () => {
    const found = await scores(
      [
        ['person', 100, 50, 40, 80],
        ['person', 400, 100, 40, 100],
        ['horse', 80, 100, 120, 100],
      ],
      'a man riding a horse',
    );
    assert.ok(found.get('0 riding 2')! > 5 * (found.get('1 riding 2') ?? 0));
  });

  it('tells above from under, and behind from in front', async () => {
    const boxes: Boxes = [
      ['dog', 100, 200, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const under = await scores(boxes, 'a dog under a bench', 'a dog on a bench');
    assert.ok(under.get('0 under 1')! > 2 * under.get('0 on 1')!);
    const front = await scores(boxes, 'a dog in front of a bench', 'a dog behind a bench');
    assert.ok(front.get('0 in front of 1')! > 2 * front.get('0 behind 1')!);
  });

  it('believes more captions more', async () => {
    const boxes: Boxes = [
      ['dog', 100, 100, 60, 40],
      ['bench', 90, 120, 120, 80],
    ];
    const once = await scores(boxes, 'a dog on a bench');
    const twice = await scores(boxes, 'a dog on a bench', 'a small dog on a wooden bench');
    assert.ok(twice.get('0 on 1')! > once.get('0 on 1')!);
  });

  it('says that it is a baseline', () => {
    assert.equal(baselineTagger().baseline, true);
  });
});
