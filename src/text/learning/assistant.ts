import { Kernels } from '../learned/kernels/kernels.js';
import { NormalForms } from '../learned/normal-forms.js';
import type { NetworkSizes } from '../learned/parameters.js';
import { decodeModel } from '../learned/parser-model.js';
import type { RelationLabels } from '../learned/relation-labels.js';
import type { Example } from './example.js';
import { Labeller } from './labeller.js';
import { ModelReader } from './model-reader.js';
import { modelOf, shownTo, studentTrainer, vocabularyOf } from './student.js';
import { type Checkpoint, type Losses, type TrainingOptions, trainingDefaults } from './trainer.js';
import { readWordVectors } from './word-vectors.js';

/** What an assistant needs of the kernels' memory, and its model of that of other kernels. */
const assistantBytes = 600 << 20;
const modelBytes = 300 << 20;

export const assistantDefaults: TrainingOptions = { ...trainingDefaults, epochs: 6, dropout: 0.05 };

/** Too wide to be the parser. */
export const assistantSizes: Omit<NetworkSizes, 'labels'> = {
  input: 128,
  hidden: 192,
  tagHidden: 64,
  pairHidden: 128,
  attributeHidden: 64,
};

/**
 * A wide network of the parser's kind. It learns from people and teachers, and a student learns from it what it could not
 * learn from teachers so much larger than itself; as it is fast, of many more captions than teachers could label.
 * Source: Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", 2020.
 */
export class Assistant {
  readonly #labels: RelationLabels;
  readonly #options: TrainingOptions;
  #labeller: Labeller | undefined;

  constructor(labels: RelationLabels, options: TrainingOptions) {
    this.#labels = labels;
    this.#options = options;
  }

  /**
   * @param examples of people, and of teachers, which have beliefs
   * @param onEpoch called after each epoch with the mean losses
   */
  train(examples: readonly Example[], onEpoch: (epoch: number, losses: Losses) => void, checkpoint?: Checkpoint): void {
    const people = examples.filter(({ soft }) => !soft);
    const vocabulary = vocabularyOf(people);
    const vectors = readWordVectors();
    const labels = this.#labels;
    const sizes = { ...assistantSizes, labels: Math.ceil(labels.size / 8) * 8 };
    const kernels = new Kernels(assistantBytes);
    const trainer = studentTrainer(kernels, sizes, labels, vocabulary, vectors, this.#options);
    const taught = examples.filter(({ soft }) => soft);
    trainer.train(shownTo(people, taught), onEpoch, checkpoint);
    const forms = new NormalForms(new Map(), new Map());
    this.#labeller = modelLabeller(modelOf(trainer, vocabulary, vectors, { labels, forms, counts: [] }));
  }

  /** As `Labeller.label`. @throws Error where it was not trained */
  label(captions: readonly (readonly string[])[]): Example[] {
    if (!this.#labeller) throw new Error('an assistant labels when it is trained');
    return this.#labeller.label(captions);
  }
}

/** What a model makes of captions, as it is kept. */
export function modelLabeller(bytes: Uint8Array): Labeller {
  const kernels = new Kernels(modelBytes);
  const model = decodeModel(bytes, kernels);
  return new Labeller(kernels, new ModelReader(kernels, model), model.labels);
}
