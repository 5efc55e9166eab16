/** Trains the network of one fold and says what it believes of the examples that it did not see. */
import { Kernels } from '../learned/kernels/kernels.js';
import { RelationLabels } from '../learned/relation-labels.js';
import type { FoldMessage, FoldTask } from './cross-fit.js';
import { Trainer, trainingBytes } from './trainer.js';
import { readWordVectors } from './word-vectors.js';

const say = (message: FoldMessage) => process.send!(message);

process.once('message', ({ sizes, labels, vocabulary, options, train, held }: FoldTask) => {
  const kernels = new Kernels(trainingBytes);
  const trainer = new Trainer(kernels, sizes, new RelationLabels(labels), vocabulary, readWordVectors(), options);
  trainer.train(train, (epoch, losses) => say({ epoch, losses: { ...losses } }));
  say({ targets: trainer.believe(held) });
});
