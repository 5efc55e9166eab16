import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import writeFileAtomic from 'write-file-atomic';
import type { Example } from './example.js';
import type { Losses, TrainingOptions } from './trainer.js';

/** What a teacher is made of and learns from. */
export interface TeacherTask {
  /** Folder of the pre-trained encoder. */
  readonly encoder: string;
  /** Names of the relation labels. */
  readonly labels: readonly string[];
  readonly options: TrainingOptions;
  readonly examples: readonly Example[];
  /** Words of the captions that it labels when it has learned. */
  readonly captions: readonly (readonly string[])[];
}

/** What a worker says. */
export type TeacherMessage =
  | { readonly epoch: number; readonly losses: Losses }
  | { readonly labelled: readonly Example[] }
  | { readonly isDone: true };

export interface TeachOptions {
  /** How many teachers. */
  readonly count: number;
  /** Folder where each teacher's labels are kept: a run that was cut off goes on with those that it finds. */
  readonly keep?: string | undefined;
  readonly onEpoch: (teacher: number, epoch: number, losses: Losses) => void;
}

/** Teachers that differ by their seeds share the captions: a student of all hears something like their mean. */
export async function teach(
  { captions, options, ...task }: TeacherTask,
  { count, keep, onEpoch }: TeachOptions,
): Promise<Example[]> {
  const labelled: Example[][] = Array.from({ length: count }, () => []);
  const waiting = [...labelled.keys()];
  const work = async () => {
    for (let teacher = waiting.shift(); teacher !== undefined; teacher = waiting.shift()) {
      const own = captions.filter((_, k) => k % count === teacher);
      const ownTask = { ...task, options: { ...options, seed: options.seed + teacher }, captions: own };
      const file = keep && join(keep, `${fingerprint(ownTask)}.labels`);
      if (file && existsSync(file)) {
        labelled[teacher] = deserialize(readFileSync(file)) as Example[];
        continue;
      }
      await runTeacher(ownTask, (message) => {
        if ('labelled' in message) labelled[teacher!]!.push(...message.labelled);
        else if ('epoch' in message) onEpoch(teacher!, message.epoch, message.losses);
      });
      if (file) {
        mkdirSync(dirname(file), { recursive: true });
        writeFileAtomic.sync(file, serialize(labelled[teacher]));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism()) }, work));
  return labelled.flat();
}

/** Of all that a teacher's labels depend on but the program. */
function fingerprint({ labels, options, examples, captions }: TeacherTask): string {
  const hash = createHash('sha256').update(JSON.stringify([labels, options]));
  for (const { words, tags, pairs } of examples) hash.update(JSON.stringify([words, [...tags], pairs]));
  for (const words of captions) hash.update(JSON.stringify(words));
  return hash.digest('hex').slice(0, 16);
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
