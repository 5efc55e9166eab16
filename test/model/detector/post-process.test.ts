import assert from 'node:assert/strict';
import { type PairOutputs, postProcess } from '../../../src/model/detector/post-process.js';

const labels = { objects: ['person', 'horse', 'missing objects', 'no objects'], relations: ['ride', 'hold'] };
const size = { width: 200, height: 100 };

/** Logits whose softmax is the given probabilities. */
const logits = (...rows: number[][]) => Float32Array.from(rows.flat(), Math.log);
/** Logits whose sigmoid is the given probabilities. */
const sigmoids = (...rows: number[][]) => Float32Array.from(rows.flat(), (p) => Math.log(p / (1 - p)));

const outputs: PairOutputs = {
  subjectLogits: logits([0.6, 0.2, 0.1, 0.1], [0.1, 0.3, 0.1, 0.5], [0.8, 0.1, 0.05, 0.05]),
  objectLogits: logits([0.2, 0.3, 0.1, 0.4], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1]),
  relationLogits: sigmoids([0.9, 0.5], [0.2, 0.4], [0.5, 0.25]),
  subjectBoxes: Float32Array.from([0.5, 0.5, 0.25, 0.5, 0.1, 0.1, 0.5, 0.1, 0.5, 0.5, 1, 1]),
  objectBoxes: Float32Array.from([0.25, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0]),
};

const rounded = (value: unknown) =>
  JSON.parse(JSON.stringify(value), (_, x) => (typeof x === 'number' ? Math.round(x * 1e5) / 1e5 : x));

describe('postProcess', () => {
  it('makes every subject a person and fuses the object into the scores for interactions', () => {
    const { objects, pairs } = postProcess(outputs, labels, size, 'hoi');
    assert.deepEqual(rounded(pairs), [
      { subject: 0, object: 1, scores: [0.27, 0.15] },
      { subject: 2, object: 3, scores: [0.14, 0.28] },
      { subject: 4, object: null, scores: [0.35, 0.175] },
    ]);
    assert.deepEqual(rounded(objects), [
      { xyxy: [75, 25, 125, 75], category: 'person' },
      { xyxy: [0, 50, 100, 100], category: 'horse', score: 0.3 },
      { xyxy: [-30, 5, 70, 15], category: 'person' },
      { xyxy: [50, 25, 150, 75], category: 'horse', score: 0.7 },
      { xyxy: [0, 0, 200, 100], category: 'person' },
    ]);
  });

  it('leaves out pairs whose subject is likelier no person for NF', () => {
    const { pairs } = postProcess(outputs, labels, size, 'hoi-zero-shot');
    assert.deepEqual(
      pairs.map(({ object }) => object),
      [1, null],
    );
  });

  it('keeps all categories and orders pairs by their best product for scene graphs', () => {
    const { objects, pairs } = postProcess(outputs, labels, size, 'scene-graph');
    // 0.5 × 0.8 × 0.7, 0.9 × 0.6 × 0.3 and 0.4 × 0.3 × 0.7.
    assert.deepEqual(rounded(pairs), [
      { subject: 4, object: null, scores: [0.5, 0.25] },
      { subject: 0, object: 1, scores: [0.9, 0.5] },
      { subject: 2, object: 3, scores: [0.2, 0.4] },
    ]);
    assert.deepEqual(rounded(objects.map(({ category, score }) => [category, score])), [
      ['person', 0.6],
      ['horse', 0.3],
      ['horse', 0.3],
      ['horse', 0.7],
      ['person', 0.8],
    ]);
  });
});
