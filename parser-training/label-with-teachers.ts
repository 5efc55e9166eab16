import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CacheFile, fingerprint } from './cache-file.js';
import type { Losses, TrainingOptions, TrainingState } from './trainer.js';
import type { TrainingExample } from './training-example.js';

/** What a teacher or an assistant is made of and learns from. */
export interface TeacherTask {
  /** Folder of a teacher's pre-trained encoder; an assistant has none. */
  readonly encoder?: string;
  /** Names of the relation labels. */
  readonly labels: readonly string[];
  readonly options: TrainingOptions;
  readonly examples: readonly TrainingExample[];
  /** Words of the captions that it labels when it has learned. */
  readonly captions: readonly (readonly string[])[];
  /** The file where it leaves what it has learned, so that it goes on there when it is cut off. */
  readonly checkpoint?: string;
}

/** What a worker says. */
export type TeacherMessage =
  | { readonly epoch: number; readonly losses: Losses }
  | { readonly labelled: readonly TrainingExample[] }
  | { readonly isDone: true };

export interface LabelingOptions {
  /** How many teachers. */
  readonly count: number;
  /** Folder where what each teacher learns and its labels are kept: a run that was cut off goes on with what it finds. */
  readonly cacheFolder?: string | undefined;
  readonly onEpoch: (teacher: number, epoch: number, losses: Losses) => void;
}

/**
 * Teachers, or assistants, that differ by their seeds share the captions: a student of all hears something like their mean.
 */
export async function labelWithTeachers(
  { captions, options, ...task }: TeacherTask,
  { count, cacheFolder: keep, onEpoch }: LabelingOptions,
): Promise<TrainingExample[]> {
  const labelled: TrainingExample[][] = Array.from({ length: count }, () => []);
  const waiting = [...labelled.keys()];
  const work = async () => {
    for (let teacher = waiting.shift(); teacher !== undefined; teacher = waiting.shift()) {
      const own = captions.filter((_, k) => k % count === teacher);
      const ownTask = { ...task, options: { ...options, seed: options.seed + teacher }, captions: own };
      const path = keep && join(keep, fingerprint([ownTask.labels, ownTask.options], ownTask.examples, own));
      const labels = path ? new CacheFile<TrainingExample[]>(`${path}.labels`) : undefined;
      const kept = labels?.read();
      if (kept) {
        labelled[teacher] = kept;
        continue;
      }
      const checkpoint = path && `${path}.training`;
      await runTeacher(checkpoint ? { ...ownTask, checkpoint } : ownTask, (message) => {
        if ('labelled' in message) labelled[teacher!]!.push(...message.labelled);
        else if ('epoch' in message) onEpoch(teacher!, message.epoch, message.losses);
      });
      labels?.write(labelled[teacher]!);
      if (checkpoint) new CacheFile<TrainingState>(checkpoint).remove();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return labelled.flat();
}

/** In a process of its own: the loader of TypeScript does not reach into worker threads. */
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
    worker.on('exit', (code) => reject(new Error(`a process of the training ended with code ${code}`)));
  });
}
