import { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import type { NetworkSizes } from '../src/parser/neural/network-parameters.js';
import { NormalForms } from '../src/parser/neural/normal-forms.js';
import { decodeModel } from '../src/parser/neural/parser-model.js';
import { ModelScorer } from './model-scorer.js';
import { PseudoLabeler } from './pseudo-labeler.js';
import { encodeStudent, studentExamples, studentMemoryBytes, studentTrainer, vocabularyOf } from './student.js';
import type { TeacherTrainingOptions } from './teacher.js';
import { defaultTrainingOptions, type TrainingOptions } from './trainer.js';
import { readWordVectors } from './word-vectors.js';

export const defaultAssistantOptions: TrainingOptions = { ...defaultTrainingOptions, epochs: 6, dropout: 0.05 };

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
export function trainAssistant({
  labels,
  options,
  examples,
  onEpoch,
  checkpoint,
}: TeacherTrainingOptions): PseudoLabeler {
  const people = examples.filter(({ soft }) => !soft);
  const taught = examples.filter(({ soft }) => soft);
  const vocabulary = vocabularyOf(people);
  const vectors = readWordVectors();
  const sizes = { ...assistantSizes, labels: labels.width };
  const trainer = studentTrainer(new ParserKernels(studentMemoryBytes), sizes, labels, vocabulary, vectors, options);
  trainer.train(studentExamples(people, taught), onEpoch, checkpoint);
  const forms = new NormalForms(new Map(), new Map());
  return modelLabeler(encodeStudent(trainer, vocabulary, vectors, { labels, forms, counts: [] }));
}

/** What a model makes of captions, as it is kept. */
export function modelLabeler(bytes: Uint8Array): PseudoLabeler {
  const kernels = new ParserKernels(studentMemoryBytes);
  const model = decodeModel(bytes, kernels);
  return new PseudoLabeler(kernels, new ModelScorer(kernels, model), model.labels);
}
