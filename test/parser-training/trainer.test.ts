import assert from 'node:assert/strict';
import { deserialize, serialize } from 'node:v8';
import { prepareCaptions } from '../../parser-training/prepare-captions.js';
import { studentTrainer } from '../../parser-training/student.js';
import { defaultTrainingOptions, type Losses, type TrainingState } from '../../parser-training/trainer.js';
import { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import type { ParameterName } from '../../src/parser/neural/network-parameters.js';
import { parseFactual } from '../../src/records/factual-graph.js';
import { Random } from '../../src/records/random.js';

const captions = [
  ['a man riding a brown horse', '( man , ride , horse ) , ( horse , is , brown )'],
  [
    'two dogs facing each other on the green grass',
    '( dogs , face , dogs ) , ( dogs , on , grass ) , ( dogs , is , 2 ) , ( grass , is , green )',
  ],
  ['woman in a red dress and a hat', '( woman , wear , dress ) , ( woman , wear , hat ) , ( dress , is , red )'],
  ['a man riding a horse', '( man , ride , horse )'],
  ['woman in a dress', '( woman , wear , dress )'],
  ['woman wearing a hat', '( woman , wear , hat )'],
  ['dog on the grass', '( dog , on , grass )'],
  ['dogs on grass', '( dogs , on , grass )'],
  ['leg of the man', '( man , have , leg )'],
  ['a boy on the grass riding a bike', '( boy , on , grass ) , ( boy , ride , bike )'],
].map(([caption, gold]) => ({ caption: caption!, gold: gold! }));

const sizes = { input: 16, hidden: 16, tagHidden: 8, pairHidden: 16, attributeHidden: 8, labels: 16 };

function createTrainer(options: Partial<typeof defaultTrainingOptions> = {}) {
  const { examples, labels } = prepareCaptions(captions, { minLabelCount: 1 });
  const vocabulary = [...new Set(examples.flatMap(({ words }) => words))].sort();
  const vectors = new Map(vocabulary.map((word, k) => [word, new Float32Array(100).fill(Math.sin(k) / 10)]));
  const trainer = studentTrainer(new ParserKernels(64 << 20), sizes, labels, vocabulary, vectors, {
    ...defaultTrainingOptions,
    ...options,
  });
  return { trainer, examples, labels };
}

/** A checkpoint in memory that stores the state after the second epoch. */
const checkpointOf = (saved?: TrainingState) => ({
  saved,
  read: () => saved,
  write(state: TrainingState) {
    if (state.epochs === 2) this.saved = deserialize(serialize(state)) as TrainingState;
  },
});

describe('Trainer', () => {
  it('gets an example of every caption', () => {
    const { examples, labels } = createTrainer();
    assert.equal(examples.length, captions.length);
    assert.deepEqual(labels.names.slice(0, 4), ['', '>V', '>P', '>wear']);
    for (const { gold } of captions) assert.notDeepEqual(parseFactual(gold).relations, []);
  });

  it('has the gradients of finite differences', () => {
    const { trainer, examples } = createTrainer({ dropout: 0, wordDropout: 0, seed: 3 });
    const { parameters } = trainer.network;
    const total = () => {
      const { losses, gradients } = trainer.gradientsOf(examples);
      const copies = Object.fromEntries(Object.entries(gradients).map(([name, values]) => [name, values.slice()]));
      for (const values of Object.values(gradients)) values.fill(0);
      return { loss: losses.tags + losses.labels + losses.words + losses.owners, gradients: copies };
    };
    const random = new Random(5);
    const { gradients } = total();
    let checked = 0;
    for (const name of Object.keys(parameters) as ParameterName[]) {
      const values = parameters[name];
      const touched = [...values.keys()].filter((k) => Math.abs(gradients[name]![k]!) > 0.02);
      for (let n = 0; n < Math.min(6, touched.length); n++) {
        const k = touched[Math.floor(random.next() * touched.length)]!;
        const original = values[k]!;
        const step = 0.001;
        values[k] = original + step;
        const up = total().loss;
        values[k] = original - step;
        const down = total().loss;
        values[k] = original;
        const slope = (up - down) / (2 * step);
        const expected = gradients[name]![k]!;
        assert.ok(
          Math.abs(slope - expected) < 0.04 + 0.05 * Math.abs(expected),
          `${name}[${k}]: gradient ${expected}, finite difference ${slope}`,
        );
        checked++;
      }
    }
    assert.ok(checked > 100, `${checked} checked`);
  });

  it('fits its examples, with the same losses each time', () => {
    const run = () => {
      const { trainer, examples } = createTrainer({
        epochs: 120,
        batchSize: 5,
        learningRate: 1e-2,
        dropout: 0,
        wordDropout: 0,
      });
      let last = { tags: 1, labels: 1, words: 1, owners: 1 };
      trainer.train(examples, (_, losses) => {
        last = { ...losses };
      });
      return last;
    };
    const losses = run();
    assert.deepEqual(run(), losses);
    for (const [name, loss] of Object.entries(losses)) assert.ok(loss < 0.05, `${name} ${loss}`);
  });

  it('resumes from a checkpoint with the same losses and state', () => {
    const options = { epochs: 4, batch: 3, dropout: 0.1 };
    const uninterrupted = createTrainer(options);
    const allLosses: Losses[] = [];
    const checkpoint = checkpointOf();
    uninterrupted.trainer.train(uninterrupted.examples, (_, losses) => allLosses.push({ ...losses }), checkpoint);
    const second = createTrainer(options);
    const losses: Losses[] = [];
    second.trainer.train(second.examples, (_, own) => losses.push({ ...own }), checkpointOf(checkpoint.saved));
    assert.deepEqual(losses, allLosses.slice(2));
    assert.deepEqual(second.trainer.state, uninterrupted.trainer.state);
  });

  it('rejects a checkpoint of another network', () => {
    const { trainer, examples } = createTrainer({ epochs: 1 });
    const [first, ...others] = trainer.state.optimizers;
    const short = { ...first!, values: first!.values.slice(1) };
    const from = { ...trainer.state, optimizers: [short, ...others] };
    assert.throws(
      () => trainer.train(examples, () => {}, checkpointOf(from)),
      /^RangeError: checkpoint: an array of \d+ parameters, expected \d+$/,
    );
    assert.throws(
      () => trainer.train(examples, () => {}, checkpointOf({ ...from, optimizers: others })),
      /^RangeError: checkpoint: \d+ arrays of parameters, expected \d+$/,
    );
  });
});
