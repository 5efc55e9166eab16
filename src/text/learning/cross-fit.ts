import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { NetworkSizes } from '../learned/parameters.js';
import type { Example } from './example.js';
import type { SoftTargets } from './soft-targets.js';
import type { Losses, TrainingOptions } from './trainer.js';

/** What a network is made of before it has learned. */
export interface TrainingSetup {
  readonly sizes: NetworkSizes;
  /** Names of the relation labels. */
  readonly labels: readonly string[];
  /** Words that get a vector of their own. */
  readonly vocabulary: readonly string[];
  readonly options: TrainingOptions;
}

/** The task of one worker. */
export interface FoldTask extends TrainingSetup {
  readonly train: readonly Example[];
  readonly held: readonly Example[];
}

/** What a worker says. */
export type FoldMessage =
  | { readonly epoch: number; readonly losses: Losses }
  | { readonly targets: readonly SoftTargets[] };

/**
 * Examples with what networks believe of them that did not see them: of every `folds` examples each network leaves out one.
 * People who draw graphs toss coins ("a plate of food" has food, or food is on it); a network that saw the answer knows how
 * the coin fell, one that did not knows how likely it was to.
 *
 * @param onEpoch told how far each fold is
 */
export async function crossFit(
  examples: readonly Example[],
  setup: TrainingSetup,
  folds: number,
  onEpoch: (fold: number, epoch: number, losses: Losses) => void,
): Promise<Example[]> {
  const soft = new Array<Example>(examples.length);
  const waiting = Array.from({ length: folds }, (_, fold) => fold);
  const work = async () => {
    for (let fold = waiting.shift(); fold !== undefined; fold = waiting.shift()) {
      const isHeld = (k: number) => k % folds === fold;
      const held = examples.filter((_, k) => isHeld(k));
      const train = examples.filter((_, k) => !isHeld(k));
      const targets = await runFold({ ...setup, train, held }, (epoch, losses) => onEpoch(fold!, epoch, losses));
      held.forEach((example, n) => {
        soft[n * folds + fold!] = { ...example, soft: targets[n]! };
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(folds, availableParallelism()) }, work));
  return soft;
}

/** In a process of its own: the loader of TypeScript does not reach into worker threads. */
function runFold(task: FoldTask, onEpoch: (epoch: number, losses: Losses) => void): Promise<readonly SoftTargets[]> {
  return new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(new URL('./fold-worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    worker.send(task);
    worker.on('message', (message: FoldMessage) => {
      if ('targets' in message) resolve(message.targets);
      else onEpoch(message.epoch, message.losses);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`a process of the training ended with code ${code}`)));
  });
}
