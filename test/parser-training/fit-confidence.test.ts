import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fitConfidence } from '../../parser-training/fit-confidence.js';
import { fitLogistic, probabilityOf } from '../../parser-training/fit-logistic.js';
import { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import { decodeModel } from '../../src/parser/neural/parser-model.js';

describe('fitLogistic', () => {
  it('fits shares of right examples', () => {
    const examples = [
      ...[true, true, true, false].map((isRight) => ({ features: [0, 1], isRight })),
      ...[true, false, false, false].map((isRight) => ({ features: [0, 1, 1, 1], isRight })),
    ];
    const weights = fitLogistic(examples, 2, 1e-6);
    assert.ok(Math.abs(probabilityOf([0, 1], weights) - 0.75) < 1e-4);
    assert.ok(Math.abs(probabilityOf([0, 1, 1, 1], weights) - 0.25) < 1e-4);
    assert.deepEqual(fitLogistic(examples, 2, 1e-6), weights);
  });

  it('a penalty keeps weights of certain examples finite', () => {
    const [weight] = fitLogistic([{ features: [0, 1], isRight: true }], 1, 1);
    assert.ok(weight! > 0 && weight! < 1);
  });
});

describe('fitConfidence', () => {
  it('confidences of the shipped model mean what they say on captions that are held out', async () => {
    const bytes = readFileSync(new URL('../../src/parser/neural/parser.model', import.meta.url));
    const kernels = new ParserKernels(256 << 20);
    const { relations, reliability } = await fitConfidence(decodeModel(bytes, kernels), kernels);
    assert.ok(relations > 3000);
    let error = 0;
    for (const { relations: count, confidence, right } of reliability)
      error += (count / relations) * Math.abs(confidence - right);
    assert.ok(error < 0.06, `mean error ${error}`);
    const [surest] = reliability.slice(-1);
    assert.ok(surest!.right > 0.94);
  });
});
