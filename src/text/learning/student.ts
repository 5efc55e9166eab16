import type { Kernels } from '../learned/kernels/kernels.js';
import type { NetworkSizes } from '../learned/parameters.js';
import type { RelationLabels } from '../learned/relation-labels.js';
import { capacity } from './batch.js';
import { Trainer, type TrainingOptions } from './trainer.js';
import { WordStates } from './word-states.js';
import { WordTable } from './word-table.js';

/** What a student needs of the kernels' memory. */
export const studentBytes = 300 << 20;

/**
 * The network that the parser runs, in training.
 * @param vocabulary words that get a row of their own; vectors of words, of length 1
 */
export function studentTrainer(
  kernels: Kernels,
  sizes: NetworkSizes,
  labels: RelationLabels,
  vocabulary: readonly string[],
  vectors: ReadonlyMap<string, Float32Array>,
  options: TrainingOptions,
): Trainer<WordStates> {
  return new Trainer(kernels, sizes, labels, options, ({ training, network, backward, random }) => {
    const { parameters } = network;
    const words = new WordTable(kernels, training, sizes.input, parameters, vocabulary, vectors, capacity.rows, random);
    return {
      source: new WordStates(network, backward, words, random, options.wordDropout),
      without: ['affixes', 'shapes'],
      dropout: ['x', 'windowed'],
    };
  });
}
