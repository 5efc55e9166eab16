import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { NetworkSizes } from '../src/parser/neural/network-parameters.js';
import { encodeModel, type ParserModel } from '../src/parser/neural/parser-model.js';
import { quantizeRows } from '../src/parser/neural/quantized-rows.js';
import type { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { batchCapacity } from './caption-batch.js';
import { Trainer, type TrainingOptions } from './trainer.js';
import type { TrainingExample } from './training-example.js';
import { WordEncoder } from './word-encoder.js';
import { WordTable } from './word-table.js';

/** What a student needs of the kernels' memory. */
export const studentMemoryBytes = 300 << 20;

/**
 * The network that the parser runs, in training.
 * @param vocabulary words that get a row of their own; vectors of words, of length 1
 */
export function studentTrainer(
  kernels: ParserKernels,
  sizes: NetworkSizes,
  labels: RelationLabels,
  vocabulary: readonly string[],
  vectors: ReadonlyMap<string, Float32Array>,
  options: TrainingOptions,
): Trainer<WordEncoder> {
  return new Trainer(kernels, sizes, labels, options, ({ training, network, backward, random }) => {
    const { parameters } = network;
    const words = new WordTable(
      kernels,
      training,
      sizes.input,
      parameters,
      vocabulary,
      vectors,
      batchCapacity.rows,
      random,
    );
    return {
      encoder: new WordEncoder(network, backward, words, random, options.wordDropout),
      unusedParameters: ['affixes', 'shapes'],
      dropoutLayers: ['x', 'windowed'],
    };
  });
}

/** Words of the captions that people said the meaning of: they get rows of their own. */
export const vocabularyOf = (examples: readonly TrainingExample[]): string[] =>
  [...new Set(examples.flatMap(({ words }) => words))].sort();

/** What a student is shown: what people said counts twice. @param taught with teachers' beliefs */
export const studentExamples = (
  examples: readonly TrainingExample[],
  taught: readonly TrainingExample[],
): readonly TrainingExample[] => (taught.length > 0 ? [...examples, ...examples, ...taught] : examples);

/** What a student has learned, as the bytes of a model. */
export function encodeStudent(
  { network, encoder: source }: Trainer<WordEncoder>,
  vocabulary: readonly string[],
  vectors: ReadonlyMap<string, Float32Array>,
  learned: Pick<ParserModel, 'labels' | 'forms' | 'counts'>,
): Uint8Array {
  const { sizes, parameters } = network;
  const known = ['', ...new Set([...vocabulary, ...vectors.keys()])];
  const rows = quantizeRows(known.length, sizes.input, (row) => source.words.ownVector(known[row]!));
  return encodeModel({ ...learned, sizes, parameters, words: { words: known, rows } });
}
