import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheFile, fingerprint } from './cache-file.js';
import type { Losses, TrainingOptions, TrainingState } from './trainer.js';
import type { TrainingExample } from './training-example.js';

/** The task of a teacher's or an assistant's process. */
export interface TeacherTask {
  /** Folder of a teacher's pretrained transformer; omitted for an assistant. */
  readonly encoder?: string;
  /** Names of the relation labels. */
  readonly labels: readonly string[];
  readonly options: TrainingOptions;
  readonly examples: readonly TrainingExample[];
  /** Words of the captions to label after the training. */
  readonly captions: readonly (readonly string[])[];
  /** File of the training's state after each epoch, from which an interrupted training resumes. */
  readonly checkpoint?: string;
}

/** A message of a teacher's process. */
export type TeacherMessage =
  | { readonly epoch: number; readonly losses: Losses }
  | { readonly labeled: readonly TrainingExample[] }
  | { readonly isDone: true };

export interface LabelingOptions {
  /** Number of teachers. */
  readonly count: number;
  /** Folder of checkpoints and labels, from which an interrupted run resumes. */
  readonly cacheFolder?: string | undefined;
  readonly onEpoch: (teacher: number, epoch: number, losses: Losses) => void;
}

/**
 * Trains teachers, or assistants, with different seeds and lets each label its share of the captions, so that a student of all
 * learns something close to their mean.
 */
export async function labelWithTeachers(
  { captions, options, ...task }: TeacherTask,
  { count, cacheFolder, onEpoch }: LabelingOptions,
): Promise<TrainingExample[]> {
  const labeled: TrainingExample[][] = Array.from({ length: count }, () => []);
  const waiting = [...labeled.keys()];
  const work = async () => {
    for (let teacher = waiting.shift(); teacher !== undefined; teacher = waiting.shift()) {
      const own = captions.filter((_, k) => k % count === teacher);
      const ownTask = { ...task, options: { ...options, seed: options.seed + teacher }, captions: own };
      const path =
        cacheFolder && join(cacheFolder, fingerprint([ownTask.labels, ownTask.options], ownTask.examples, own));
      const labels = path ? new CacheFile<TrainingExample[]>(`${path}.labels`) : undefined;
      const cached = labels?.read();
      if (cached) {
        labeled[teacher] = cached;
        continue;
      }
      const checkpoint = path && `${path}.training`;
      await runTeacher(checkpoint ? { ...ownTask, checkpoint } : ownTask, (message) => {
        if ('labeled' in message) labeled[teacher!]!.push(...message.labeled);
        else if ('epoch' in message) onEpoch(teacher!, message.epoch, message.losses);
      });
      labels?.write(labeled[teacher]!);
      if (checkpoint) new CacheFile<TrainingState>(checkpoint).remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return labeled.flat();
}

/** Runs a teacher in a child process, because TypeScript's loader does not work in worker threads. */
function runTeacher(task: TeacherTask, onMessage: (message: TeacherMessage) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(new URL('./teacher-worker.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
    });
    worker.send(task);
    worker.on('message', (message: TeacherMessage) => {
      if ('isDone' in message) resolve();
      else onMessage(message);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the process of a teacher exited with code ${code}, expected 0`)));
  });
}
