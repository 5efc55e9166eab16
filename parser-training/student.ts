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

/** Bytes of the kernels' memory that a student needs. */
export const studentMemoryBytes = 300 << 20;

/**
 * Makes a trainer of the network that the parser runs.
 * @param vocabulary words with a trained row of their own; vectors pretrained unit vectors of words
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

/** Returns the distinct words of annotated captions, sorted. */
export const vocabularyOf = (examples: readonly TrainingExample[]): string[] =>
  [...new Set(examples.flatMap(({ words }) => words))].sort();

/** Returns the training examples of a student: annotated ones count twice. @param labeled examples with soft targets */
export const studentExamples = (
  examples: readonly TrainingExample[],
  labeled: readonly TrainingExample[],
): readonly TrainingExample[] => (labeled.length > 0 ? [...examples, ...examples, ...labeled] : examples);

/** Encodes a trained student as a model file. */
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
