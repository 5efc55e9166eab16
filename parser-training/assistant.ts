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

/** Wider than the parser, whose speed needs a small network. */
const assistantSizes: Omit<NetworkSizes, 'labels'> = {
  input: 128,
  hidden: 192,
  tagHidden: 64,
  pairHidden: 128,
  attributeHidden: 64,
};

/**
 * Trains a wide network of the parser's architecture on annotated captions and on captions that teachers labeled. It bridges
 * the difference in size between teachers and student, and it is fast enough to label many more captions than teachers.
 *
 * Source: Mirzadeh et al., "Improved Knowledge Distillation via Teacher Assistant", 2020.
 * @param options.examples annotated examples, and examples with soft targets of teachers
 * @returns a labeler of captions
 */
export function trainAssistant({
  labels,
  options,
  examples,
  onEpoch,
  checkpoint,
}: TeacherTrainingOptions): PseudoLabeler {
  const annotated = examples.filter(({ soft }) => !soft);
  const labeled = examples.filter(({ soft }) => soft);
  const vocabulary = vocabularyOf(annotated);
  const vectors = readWordVectors();
  const sizes = { ...assistantSizes, labels: labels.width };
  const trainer = studentTrainer(new ParserKernels(studentMemoryBytes), sizes, labels, vocabulary, vectors, options);
  trainer.train(studentExamples(annotated, labeled), onEpoch, checkpoint);
  const forms = new NormalForms(new Map(), new Map());
  return modelLabeler(encodeStudent(trainer, vocabulary, vectors, { labels, forms, counts: [] }));
}

/** Makes a labeler of captions from an encoded model. */
export function modelLabeler(bytes: Uint8Array): PseudoLabeler {
  const kernels = new ParserKernels(studentMemoryBytes);
  const model = decodeModel(bytes, kernels);
  return new PseudoLabeler(kernels, new ModelScorer(kernels, model), model.labels);
}
