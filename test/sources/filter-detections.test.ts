import assert from 'node:assert/strict';
import type { Image } from '../../src/records/image.js';
import { filterDetections, type RawDetection } from '../../src/sources/filter-detections.js';

const image: Image = { id: 7, file: '7.jpg', width: 100, height: 50, dataset: 'd', split: '' };

function raw(id: number | string, box: unknown, fields: Partial<RawDetection> = {}): RawDetection {
  return { id, category: 'dog', box, crowd: false, ...fields };
}

describe('filterDetections', () => {
  it('counts each dropped box under the first reason that applies', () => {
    const boxes = [
      raw(1, [0, 0, 10, 10]),
      raw(2, [0, null, 10, 10], { crowd: true }),
      raw(3, [0, 0, 0, 10], { crowd: true, category: null }),
      raw(4, [0, 0, 0, 10], { category: null }),
      raw(5, [200, 0, 0, 10]),
      raw(6, [0, 0, 10, -1]),
      raw(7, [100, 0, 10, 10]),
      raw(8, [0, 0, 10, 10]),
      raw(9, [0, 0, 10, 10], { category: 'cat' }),
    ];
    const { detections, counts, rejects, kept, rawCategories } = filterDetections(boxes, image, false);
    assert.deepEqual(detections, [
      { id: 1, category: 'dog', box: [0, 0, 10, 10] },
      { id: 9, category: 'cat', box: [0, 0, 10, 10] },
    ]);
    assert.deepEqual(counts, {
      'malformed-box': 1,
      crowd: 1,
      'undefined-category': 1,
      'zero-area': 2,
      'outside-image': 1,
      'duplicate-box': 1,
    });
    assert.deepEqual(rejects, [
      {
        reason: 'malformed-box',
        message: 'annotation 2: the box is [0,null,10,10], expected four finite numbers',
        image: 7,
        detail: { annotation: 2 },
      },
    ]);
    assert.deepEqual([...kept], [0, -1, -1, -1, -1, -1, -1, 0, 1]);
    assert.equal(rawCategories, undefined);
  });

  it('accepts only four finite numbers as a box', () => {
    const malformed = [
      undefined,
      null,
      'x',
      {},
      [],
      [1, 2, 3],
      [1, 2, 3, 4, 5],
      ['1', 2, 3, ''],
      ['1px', 2, 3, 4],
      [[1, 2, 3, 4]],
      [null, null, null, null],
      [1, 2, 3, Number.POSITIVE_INFINITY],
    ];
    const { detections, counts } = filterDetections(
      malformed.map((box, id) => raw(id, box)),
      image,
      false,
    );
    assert.deepEqual(detections, []);
    assert.deepEqual(counts, { 'malformed-box': malformed.length });
  });

  it('reads four numbers that are written as texts, and counts them', () => {
    const boxes = [raw(1, ['10', ' 5 ', 3.5, '1e1'])];
    assert.deepEqual(filterDetections(boxes, image, false), {
      detections: [{ id: 1, category: 'dog', box: [10, 5, 3.5, 10] }],
      kept: Int32Array.of(0),
      rejects: [],
      counts: { 'box-as-text': 1 },
    });
    assert.deepEqual(filterDetections(boxes, image, true).counts, { 'malformed-box': 1 });
  });

  it('scales boxes that are fractions of the image, and counts them', () => {
    const boxes = [raw(1, [0.25, 0.5, 0.5, 0.5]), raw(2, [0, 0, 1, 1]), raw(3, ['0.5', 0, 0.5, 1])];
    const { detections, counts } = filterDetections(boxes, image, false);
    assert.deepEqual(
      detections.map(({ box }) => box),
      [
        [25, 25, 50, 25],
        [0, 0, 100, 50],
        [50, 0, 50, 50],
      ],
    );
    assert.deepEqual(counts, { 'relative-box': 3, 'box-as-text': 1 });
    assert.deepEqual(
      filterDetections([raw(1, [0.25, 0.5, 0.5, 0.5])], image, true).detections[0]?.box,
      [0.25, 0.5, 0.5, 0.5],
    );
  });

  it('keeps boxes in pixels: whole numbers, and those of an image with a number above 1', () => {
    const boxesOf = (...boxes: number[][]) =>
      filterDetections(
        boxes.map((box, id) => raw(id, box)),
        image,
        false,
      );
    assert.deepEqual(boxesOf([0, 0, 1, 1]).detections[0]?.box, [0, 0, 1, 1]);
    assert.deepEqual(boxesOf([0.5, 0.5, 0.25, 0.5], [0, 0, 1.5, 1]).counts, {});
  });

  it('rejects fractions that would end outside the image as [x, y, w, h]', () => {
    const { detections, counts, rejects } = filterDetections([raw(1, [0.8, 0.5, 0.4, 0.5])], image, false);
    assert.deepEqual([detections, counts], [[], { 'malformed-box': 1 }]);
    assert.equal(
      rejects[0]?.message,
      'annotation 1: the box is [0.8,0.5,0.4,0.5], expected pixels, or fractions [x, y, w, h] within the image',
    );
  });

  it('keeps the numbers of the axis that needs no clipping', () => {
    const boxes = [raw(1, [9.996, -10, 80, 20]), raw(2, [-0.004, 3.3, 20, 7.7])];
    assert.deepEqual(
      filterDetections(boxes, image, false).detections.map(({ box }) => box),
      [
        [9.996, 0, 80, 10],
        [0, 3.3, 19.996, 7.7],
      ],
    );
  });

  it('clips boxes to the image before comparing them', () => {
    const boxes = [
      raw(1, [-5, -5, 20, 20]),
      raw(2, [90, 40, 20, 20]),
      raw(3, [-9, -9, 24, 24]),
      raw(4, [0.1, 0.2, 0.3, 0.4]),
    ];
    const { detections, counts } = filterDetections(boxes, image, false);
    assert.deepEqual(
      detections.map(({ box }) => box),
      [
        [0, 0, 15, 15],
        [90, 40, 10, 10],
        [0.1, 0.2, 0.3, 0.4],
      ],
    );
    assert.deepEqual(counts, { clipped: 2, 'far-beyond-image': 2, 'duplicate-box': 1 });
    // A box that reaches beyond the image by 2 % or less is only clipped.
    const near = filterDetections([raw(1, [-2, 0, 20, 20])], image, false);
    assert.deepEqual(near.counts, { clipped: 1 });
  });

  it('keeps duplicate boxes in compat mode, and returns the categories of all annotations', () => {
    const boxes = [
      raw(1, [0, 0, 10, 10], { crowd: true, category: 'person' }),
      raw(2, [0, 0, 10, 10]),
      raw(3, [0, 0, 10, 10]),
      raw(4, [0, 0, 0, 0], { category: 'cat' }),
      raw(5, [0, 0, 5, 5], { category: 'person' }),
    ];
    const { detections, counts, rawCategories } = filterDetections(boxes, image, true);
    assert.deepEqual(
      detections.map(({ id }) => id),
      [2, 3, 5],
    );
    assert.deepEqual(counts, { crowd: 1, 'zero-area': 1 });
    assert.deepEqual(rawCategories, ['person', 'dog', 'cat']);
  });

  it('keeps scores from 0 to 1', () => {
    const boxes = [0, 1, 0.5, -0.1, 1.1].map((score, id) => raw(id, [id, 0, 5, 5], { score }));
    const { detections, counts } = filterDetections(boxes, image, false);
    assert.deepEqual(
      detections.map(({ score }) => score),
      [0, 1, 0.5, undefined, undefined],
    );
    assert.deepEqual(counts, { 'score-out-of-range': 2 });
  });

  it('keeps annotations with the same id, and counts the second one', () => {
    const { detections, counts } = filterDetections([raw(1, [0, 0, 5, 5]), raw(1, [1, 0, 5, 5])], image, false);
    assert.equal(detections.length, 2);
    assert.deepEqual(counts, { 'duplicate-annotation-id': 1 });
  });

  it('finds duplicates among 10,000 boxes', () => {
    const boxes = Array.from({ length: 10_000 }, (_, i) => raw(i, [i % 90, (i >> 3) % 4, 1 + (i % 7), 5]));
    const { detections, counts, kept } = filterDetections(boxes, image, false);
    const distinct = new Map<string, number>();
    for (const { box } of boxes) {
      const key = JSON.stringify(box);
      if (!distinct.has(key)) distinct.set(key, distinct.size);
    }
    assert.equal(detections.length, distinct.size);
    assert.equal(counts['duplicate-box'], 10_000 - distinct.size);
    assert.deepEqual(
      [...kept],
      boxes.map(({ box }) => distinct.get(JSON.stringify(box))),
    );
  });
});
