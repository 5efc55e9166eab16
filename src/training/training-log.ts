import { createReadStream } from 'node:fs';
import { appendFile, open } from 'node:fs/promises';
import { isMissing } from '../files/is-missing.js';
import { parseNestedJson } from '../files/json/parse-json.js';
import { streamLines } from '../files/stream-lines.js';
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
      /** Number of pair queries of the initial weights that were left out: the first ones are kept. */
      readonly queriesLeftOut?: number;
      readonly backend: string;
      readonly threads: number;
      /** Name of the GPU; omitted on a processor. */
      readonly adapter?: string;
      /** Memory of the GPU in bytes; omitted if it is not known. */
      readonly adapterMemory?: number;
      /** Whether products may be rounded to TF32; only of tensorflow on a GPU. */
      readonly tf32?: boolean;
      /** Whether kernels were compiled by `relflow doctor --build-kernels`; only of tensorflow on a processor. */
      readonly compiledKernels?: boolean;
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
  /** The score of a benchmark. */
  | {
      readonly event: 'benchmark';
      readonly step: number;
      readonly benchmark: string;
      readonly score: number;
      readonly metrics: Readonly<Record<string, number>>;
      /** Whether no earlier score is as good, so that `best.safetensors` has these weights. */
      readonly isBest: boolean;
      readonly seconds: number;
    }
  /** An image that could not be read. */
  | {
      readonly event: 'reject';
      readonly step: number;
      readonly image: Id;
      readonly reason: string;
      readonly message: string;
    }
  /** A step for shapes that have not occurred before is recorded, which takes seconds; see docs/backends.md. */
  | {
      readonly event: 'recording';
      readonly step: number;
      /** Images, height and width of the batch. */
      readonly shape: readonly number[];
      /** Kernel calls of the step. */
      readonly calls: number;
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
    await writeAtomically(path, eventsUntil(path, step));
    return new TrainingLog(path, onEvent);
  }

  /**
   * Yields the events of a log; none if there is no log.
   * @throws InputError if a line is too long
   */
  static async *read(path: string): AsyncGenerator<TrainingEvent, void> {
    try {
      for await (const line of streamLines(path, createReadStream(path))) {
        const event = eventOf(line);
        if (event !== null) yield event;
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async add(event: TrainingEvent): Promise<void> {
    await wrapFileErrors(this.#path, () => appendFile(this.#path, `${JSON.stringify(event)}\n`));
    this.#onEvent?.(event);
  }

  /** Makes what was added survive a power cut. */
  async sync(): Promise<void> {
    await wrapFileErrors(this.#path, async () => {
      const file = await open(this.#path, 'r+');
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
    });
  }
}

async function* eventsUntil(path: string, step: number): AsyncGenerator<string, void> {
  // A training that is lengthened has ended before.
  for await (const event of TrainingLog.read(path))
    if (event.step <= step && event.event !== 'end') yield `${JSON.stringify(event)}\n`;
}

/** Returns the event of a line; null if it is none: a process that was killed may leave an incomplete line. */
function eventOf(line: string): TrainingEvent | null {
  let value: Partial<Record<'event' | 'step' | 'loss', unknown>> | null;
  try {
    value = parseNestedJson(line) as typeof value;
  } catch {
    return null;
  }
  const hasLoss = value?.event !== 'step' || typeof value.loss === 'number';
  return typeof value?.event === 'string' && Number.isSafeInteger(value.step) && hasLoss
    ? (value as TrainingEvent)
    : null;
}
