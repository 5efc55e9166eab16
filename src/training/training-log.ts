import { appendFile, readFile } from 'node:fs/promises';
import { writeAtomically } from '../files/write-atomically.js';
import type { Id } from '../records/image.js';
import type { LossParts } from './training-step.js';

/** What happens in a run, as it is logged: one JSON object a line. */
export type TrainingEvent =
  | {
      readonly event: 'start';
      readonly step: number;
      readonly images: number;
      readonly validation: number;
      readonly steps: number;
      readonly relations: number;
      readonly objects: number;
      readonly rejects: Readonly<Record<string, number>>;
      readonly leftOut: Readonly<Record<string, number>>;
      /** Arrays of the model that began as another's. */
      readonly startedFrom?: number;
      readonly backend: string;
      readonly threads: number;
    }
  | {
      readonly event: 'step';
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly parts: LossParts;
      /** Length of all gradients before they are shortened. */
      readonly gradient: number;
      readonly rate: number;
      readonly images: number;
      readonly pairs: number;
      readonly positives: number;
      readonly seconds: number;
      /** Of these seconds, those in which the device waited for data. */
      readonly waited: number;
    }
  | { readonly event: 'evaluation'; readonly step: number; readonly loss: number; readonly parts: LossParts }
  | {
      readonly event: 'reject';
      readonly step: number;
      readonly image: Id;
      readonly reason: string;
      readonly message: string;
    }
  /** Nothing to learn from: no image of the step had a pair. */
  | { readonly event: 'skipped'; readonly step: number; readonly images: readonly Id[] }
  | { readonly event: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly event: 'end'; readonly step: number; readonly weights: string };

/** The log of a run. */
export class TrainingLog {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The whole lines that are there. */
  static async read(path: string): Promise<TrainingEvent[]> {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as TrainingEvent];
      } catch {
        // A line that a killed process did not finish.
        return [];
      }
    });
  }

  async add(event: TrainingEvent): Promise<void> {
    await appendFile(this.#path, `${JSON.stringify(event)}\n`);
  }

  /** Takes out what a run logged behind its last checkpoint: it will be logged again. */
  async backTo(step: number): Promise<void> {
    const kept = (await TrainingLog.read(this.#path)).filter((event) => event.step <= step);
    await writeAtomically(
      this.#path,
      kept.map((event) => `${JSON.stringify(event)}\n`),
    );
  }
}
