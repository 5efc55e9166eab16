import { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { NetworkSizes } from '../src/parser/neural/network-parameters.js';
import { NormalForms } from '../src/parser/neural/normal-forms.js';
import { decodeModel } from '../src/parser/neural/parser-model.js';
import { ModelReader } from './model-reader.js';
import { PseudoLabeller } from './pseudo-labeler.js';
import { modelOf, shownTo, studentBytes, studentTrainer, vocabularyOf } from './student.js';
import type { TeacherTraining } from './teacher.js';
import { type TrainingOptions, trainingDefaults } from './trainer.js';
import { readWordVectors } from './word-vectors.js';

export const assistantDefaults: TrainingOptions = { ...trainingDefaults, epochs: 6, dropout: 0.05 };

/** Too wide to be the parser. */
const assistantSizes: Omit<NetworkSizes, 'labels'> = {
  input: 128,
  hidden: 192,
  tagHidden: 64,
  pairHidden: 128,
  attributeHidden: 64,
};

/**
 * Trains a wide network of the parser's kind. It learns from people and teachers, and a student learns from it what it could not
 * learn from teachers so much larger than itself; as it is fast, of many more captions than teachers could label.
 * Source: Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", 2020.
 * @param training its examples are of people, and of teachers, which have beliefs
 * @returns what labels captions
 */
export function trainAssistant({ labels, options, examples, onEpoch, checkpoint }: TeacherTraining): PseudoLabeller {
  const people = examples.filter(({ soft }) => !soft);
  const taught = examples.filter(({ soft }) => soft);
  const vocabulary = vocabularyOf(people);
  const vectors = readWordVectors();
  const sizes = { ...assistantSizes, labels: labels.width };
  const trainer = studentTrainer(new ParserKernels(studentBytes), sizes, labels, vocabulary, vectors, options);
  trainer.train(shownTo(people, taught), onEpoch, checkpoint);
  const forms = new NormalForms(new Map(), new Map());
  return modelLabeller(modelOf(trainer, vocabulary, vectors, { labels, forms, counts: [] }));
}

/** What a model makes of captions, as it is kept. */
export function modelLabeller(bytes: Uint8Array): PseudoLabeller {
  const kernels = new ParserKernels(studentBytes);
  const model = decodeModel(bytes, kernels);
  return new PseudoLabeller(kernels, new ModelReader(kernels, model), model.labels);
}
