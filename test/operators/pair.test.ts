import assert from 'node:assert/strict';
import { firstValueFrom, of } from 'rxjs';
import { type Captioned, type ImageRecord, match, type PairOptions, pair, parse } from '../../src/index.js';
import { type Boxes, captionedRecord } from '../support/records.js';

/** Returns candidates as `subject object: texts`. */
async function pairs(record: ImageRecord & Captioned, options?: PairOptions): Promise<string[]> {
  const { candidates } = await firstValueFrom(of(record).pipe(parse(), match(), pair(options)));
  return candidates.map(
    ({ subject, object, texts }) => `${subject} ${object}: ${texts.map(({ text }) => text).join(' | ')}`,
  );
}

describe('pair', () => {
  const scene: Boxes = [
    ['person', 0, 0, 10, 10],
    ['horse', 5, 5, 10, 10],
    ['person', 100, 0, 10, 10],
    ['dog', 200, 0, 10, 10],
  ];

  it('pairs boxes whose categories differ only in spelling alike', async () => {
    const boxes: Boxes = [
      ['Person', 0, 0, 10, 10],
      ['horse ', 5, 5, 10, 10],
      ['horse', 9, 5, 10, 10],
    ];
    assert.deepEqual(await pairs(captionedRecord(boxes, 'a man riding a horse')), ['0 1: riding', '0 2: riding']);
  });

  it('returns each ordered pair once, with its own texts', async () => {
    const record = captionedRecord(
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

  it('lists the captions that propose a text', async () => {
    const record = captionedRecord(scene, 'a man riding a horse', 'a dog behind a man', 'a woman riding a horse');
    const { candidates } = await firstValueFrom(of(record).pipe(parse(), match(), pair()));
    assert.deepEqual(candidates[0]?.texts, [{ text: 'riding', captions: [0, 2], subjects: 1, objects: 1 }]);
  });

  it('says how many subjects and objects the captions speak of', async () => {
    const numbers = async (...texts: string[]) => {
      const { candidates } = await firstValueFrom(of(captionedRecord(scene, ...texts)).pipe(parse(), match(), pair()));
      return candidates[0]!.texts.map(({ subjects, objects }) => [subjects, objects]);
    };
    assert.deepEqual(await numbers('Two men riding a brown horse.'), [[2, 1]]);
    assert.deepEqual(await numbers('A man riding a horse.', 'Two men riding a horse.'), [[2, 1]]);
    assert.deepEqual(await numbers('A man riding a horse.', 'Men riding a horse.'), [[undefined, 1]]);
    assert.deepEqual(await numbers('A group of people riding horses.'), [[undefined, undefined]]);
  });

  it('requires two boxes for a relation of a category with itself', async () => {
    assert.deepEqual(await pairs(captionedRecord(scene, 'a man next to a woman')), ['0 2: next to', '2 0: next to']);
    assert.deepEqual(await pairs(captionedRecord(scene, 'a dog next to another dog')), []);
  });

  it('keeps only overlapping boxes if overlap is set', async () => {
    assert.deepEqual(await pairs(captionedRecord(scene, 'a man riding a horse'), { overlap: true }), ['0 1: riding']);
  });

  it('keeps the nearest objects of each subject when there are too many pairs', async () => {
    const many: Boxes = Array.from({ length: 6 }, (_, i): readonly [string, number, number, number, number] => [
      i % 2 ? 'horse' : 'person',
      i * 50,
      0,
      10,
      10,
    ]);
    assert.deepEqual(await pairs(captionedRecord(many, 'a man riding a horse'), { maxPairs: 3 }), [
      '0 1: riding',
      '2 1: riding',
      '4 3: riding',
    ]);
    assert.equal((await pairs(captionedRecord(many, 'a man riding a horse'), { maxPairs: 7 })).length, 7);
    assert.equal((await pairs(captionedRecord(many, 'a man riding a horse'), { maxPairs: 2 })).length, 2);
  });

  it('gives the unused share of one subject to the others', async () => {
    const boxes: Boxes = [
      ['dog', 0, 0, 10, 10],
      ['bench', 10, 0, 10, 10],
      ...Array.from({ length: 6 }, (_, i) => ['horse', 20 + i * 20, 0, 10, 10] as const),
      ['person', 0, 50, 10, 10],
    ];
    const record = captionedRecord(boxes, 'a dog on a bench', 'a man riding a horse');
    assert.deepEqual(await pairs(record, { maxPairs: 5 }), [
      '0 1: on',
      ...[2, 3, 4, 5].map((horse) => `8 ${horse}: riding`),
    ]);
  });

  it('applies the limit to overlapping pairs only', async () => {
    const many: Boxes = Array.from({ length: 20 }, (_, i): readonly [string, number, number, number, number] => [
      i % 2 ? 'horse' : 'person',
      Math.floor(i / 2) * 50,
      0,
      10,
      10,
    ]);
    assert.equal(
      (await pairs(captionedRecord(many, 'a man riding a horse'), { overlap: true, maxPairs: 20 })).length,
      10,
    );
  });

  it('handles ten thousand boxes in an image', async () => {
    const crowd: Boxes = Array.from({ length: 10_000 }, (_, i): readonly [string, number, number, number, number] => {
      return [i % 2 ? 'horse' : 'person', (i * 37) % 600, (i * 53) % 400, 10, 10];
    });
    assert.equal((await pairs(captionedRecord(crowd, 'a man riding a horse'))).length, 10_000);
  });
});
