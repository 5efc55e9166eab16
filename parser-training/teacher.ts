import { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { NetworkSizes } from '../src/parser/neural/network-parameters.js';
import type { RelationLabels } from '../src/parser/neural/relation-labels.js';
import { dropoutLayers, PretrainedTransformer } from './pretrained-transformer.js';
import { PseudoLabeler } from './pseudo-labeler.js';
import { type Checkpoint, type Losses, Trainer, type TrainingOptions } from './trainer.js';
import type { TrainingExample } from './training-example.js';
import { TransformerEncoder } from './transformer-encoder.js';
import type { TransformerWeights } from './transformer-weights.js';

/** Bytes of the kernels' memory that a teacher needs. */
const teacherMemoryBytes = 900 << 20;
/** Most word pieces of a batch. */
const maxPieces = 1536;

export const defaultTeacherOptions: TrainingOptions = {
  epochs: 6,
  batchSize: 64,
  learningRate: 1e-3,
  dropout: 0.1,
  wordDropout: 0,
  joinProbability: 0.2,
  seed: 1,
};

/** The training of a teacher or an assistant. */
export interface TeacherTrainingOptions {
  readonly labels: RelationLabels;
  readonly options: TrainingOptions;
  readonly examples: readonly TrainingExample[];
  /** Called after each epoch with the mean losses. */
  readonly onEpoch: (epoch: number, losses: Losses) => void;
  readonly checkpoint?: Checkpoint | undefined;
}

/**
 * Trains a large network on top of a pretrained transformer with annotated captions.
 * @returns a labeler of captions
 */
export function trainTeacher(
  weights: TransformerWeights,
  { labels, options, examples, onEpoch, checkpoint }: TeacherTrainingOptions,
): PseudoLabeler {
  const kernels = new ParserKernels(teacherMemoryBytes);
  const { hidden } = weights.sizes;
  const sizes: NetworkSizes = {
    input: 8,
    hidden,
    tagHidden: hidden / 2,
    pairHidden: 256,
    attributeHidden: 128,
    labels: labels.width,
  };
  const trainer = new Trainer(kernels, sizes, labels, options, ({ training }) => ({
    encoder: new TransformerEncoder(
      kernels,
      training,
      new PretrainedTransformer(kernels, training, weights, maxPieces),
    ),
    unusedParameters: ['affixes', 'shapes', 'window', 'windowBias', 'compounds', 'context', 'contextBias'],
    dropoutLayers: dropoutLayers(weights.sizes),
  }));
  trainer.train(examples, onEpoch, checkpoint);
  return new PseudoLabeler(kernels, trainer, labels);
}
