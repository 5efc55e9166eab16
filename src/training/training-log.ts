import { appendFile, readFile } from 'node:fs/promises';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import { writeAtomically } from '../files/write-atomically.js';
import type { Id } from '../records/image.js';
import type { LossParts } from './loss-gradients.js';

/** An event of a training, one line of its log. */
export type TrainingEvent =
  | {
      readonly event: 'start';
      /** Steps that are done, 0 unless the training is resumed. */
      readonly step: number;
      /** Number of training images. */
      readonly images: number;
      /** Number of validation images. */
      readonly validation: number;
      /** Number of steps of the whole training. */
      readonly steps: number;
      /** Number of distinct predicates. */
      readonly relations: number;
      /** Number of distinct categories. */
      readonly objects: number;
      /** Number of rejected records, by reason. */
      readonly rejects: Readonly<Record<string, number>>;
      /** Number of boxes and relations that are left out, by reason. */
      readonly leftOut: Readonly<Record<string, number>>;
      /** Number of arrays that were copied from the weights of `startFrom`. */
      readonly startedFrom?: number;
      readonly backend: string;
      readonly threads: number;
    }
  | {
      readonly event: 'step';
      /** Counted from 1. */
      readonly step: number;
      /** Counted from 0. */
      readonly epoch: number;
      readonly loss: number;
      readonly parts: LossParts;
      /** L2 norm of all gradients before clipping. */
      readonly gradientNorm: number;
      /** Of the parameters outside of backbone and text encoder. */
      readonly learningRate: number;
      readonly images: number;
      readonly pairs: number;
      /** Pairs with a relation. */
      readonly positives: number;
      readonly seconds: number;
      /** Seconds spent waiting for data. */
      readonly waited: number;
    }
  | { readonly event: 'evaluation'; readonly step: number; readonly loss: number; readonly parts: LossParts }
  /** An image that could not be read. */
  | {
      readonly event: 'reject';
      readonly step: number;
      readonly image: Id;
      readonly reason: string;
      readonly message: string;
    }
  /** A step that changed no weights, since none of its images has a pair. */
  | { readonly event: 'skipped'; readonly step: number; readonly images: readonly Id[] }
  | { readonly event: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly event: 'end'; readonly step: number; readonly weights: string };

/** The log of a training: one JSON object a line. */
export class TrainingLog {
  readonly #path: string;
  readonly #onEvent: ((event: TrainingEvent) => void) | undefined;

  private constructor(path: string, onEvent: ((event: TrainingEvent) => void) | undefined) {
    this.#path = path;
    this.#onEvent = onEvent;
  }

  /**
   * Opens a log, and removes events after `step`: an interrupted training repeats the steps after its last checkpoint.
   * @param onEvent called with each event that is added
   */
  static async open(path: string, step: number, onEvent?: (event: TrainingEvent) => void): Promise<TrainingLog> {
    const kept = (await TrainingLog.read(path)).filter((event) => event.step <= step);
    await writeAtomically(
      path,
      kept.map((event) => `${JSON.stringify(event)}\n`),
    );
    return new TrainingLog(path, onEvent);
  }

  /** Reads the events of a log; none if there is no log. */
  static async read(path: string): Promise<TrainingEvent[]> {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      try {
        return [JSON.parse(line) as TrainingEvent];
      } catch {
        // A process that was killed may leave an incomplete line.
        return [];
      }
    });
  }

  async add(event: TrainingEvent): Promise<void> {
    await wrapFileErrors(this.#path, () => appendFile(this.#path, `${JSON.stringify(event)}\n`));
    this.#onEvent?.(event);
  }
}
