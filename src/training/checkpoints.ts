import { createHash } from 'node:crypto';
import { lstat, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { OutputError, RelflowError } from '../errors.js';
import { makeFolder } from '../files/make-folder.js';
import { openSafetensors } from '../files/open-safetensors.js';
import { removeEntries, sortEntries } from '../files/own-entries.js';
import { readFinite } from '../files/read-finite.js';
import { readSmallJson } from '../files/read-small-file.js';
import { syncFolder } from '../files/sync-folder.js';
import { describeSystemError } from '../files/system-error.js';
import { wrapFileErrors } from '../files/wrap-io-errors.js';
import { writeSafetensors } from '../files/write-safetensors.js';
import type { Parameter } from '../model/parameter-scope.js';
import { loadWeights } from '../model/weights/load-weights.js';
import type { DataPosition } from './data/training-batch.js';
import type { AdamW, MomentValues } from './optimizer/adam-w.js';
import type { Ema } from './optimizer/ema.js';
import type { TrainingSettings } from './settings/training-settings.js';
import { writeWeights } from './write-weights.js';

const FORMAT = 'relflow.training-state/1';

/**
 * The progress of a training. Random numbers depend on seed, step and position alone, and have no state of their own.
 */
export interface TrainingState {
  /** Number of steps done. */
  readonly step: number;
  /** Number of steps that changed weights; a step whose images have no pairs does not. */
  readonly updates: number;
  /** Where the next batch begins. */
  readonly next: DataPosition;
}

interface StoredState extends TrainingState {
  readonly format: string;
  /** Digest of the settings, see `settingsDigest`. */
  readonly settings: string;
}

/**
 * Returns a digest of settings without the length of the training. A training resumes only with the settings that it was started
 * with, but it may be lengthened.
 */
export const checkpointSettingsDigest = (settings: object): string => {
  const { epochs: _, steps: __, ...rest } = settings as Partial<TrainingSettings>;
  return createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 12);
};

/** The numbers that a checkpoint stores besides the state. */
export interface TrainedState {
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly optimizer: AdamW;
  readonly ema: Ema | null;
}

const checkpoint = String.raw`checkpoints/(?:step-\d{8,}|\.step-\d{8,}\.partial)`;
const folder = new RegExp(`^${checkpoint}$`);
const file = new RegExp(
  String.raw`^${checkpoint}/(?:state\.json|\.?(?:weights|optimizer|average)\.safetensors(?:\.[0-9a-f-]{36})?(?:\.partial)?)$`,
);

/** Returns whether a path, relative to the folder of a training, is one that a checkpoint has. */
export const isCheckpointFolder = (path: string): boolean => folder.test(path);
export const isCheckpointFile = (path: string): boolean => file.test(path);

const folderName = (step: number): string => `step-${String(step).padStart(8, '0')}`;

/** The checkpoints of a training: a folder each, which is renamed into place once it is complete. */
export class Checkpoints {
  readonly #folder: string;
  readonly #settings: string;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #keep: number;

  /**
   * @param settings see `settingsDigest`
   * @param metadata for the header of the weights
   * @param keep how many of the newest checkpoints are kept
   */
  constructor(folder: string, settings: string, metadata: Readonly<Record<string, string>>, keep: number) {
    this.#folder = folder;
    this.#settings = settings;
    this.#metadata = metadata;
    this.#keep = keep;
  }

  /**
   * Writes a checkpoint, and removes old ones.
   * @returns its folder
   * @throws OutputError when it cannot be written
   * @throws RelflowError (`bad-weights`) when a weight or a moment is not finite; then nothing is written
   */
  async write(state: TrainingState, { parameters, optimizer, ema }: TrainedState): Promise<string> {
    const path = join(this.#folder, folderName(state.step));
    const partial = join(this.#folder, `.${folderName(state.step)}.partial`);
    try {
      await this.#remove(basename(partial));
      await makeFolder(partial);
      await writeWeights(join(partial, 'weights.safetensors'), parameters, this.#metadata);
      const moments = [...(await optimizer.state())].flatMap(([name, { first, second }]) => [
        { name: `${name}/first`, shape: [first.length], read: async () => first },
        { name: `${name}/second`, shape: [second.length], read: async () => second },
      ]);
      await writeSafetensors(join(partial, 'optimizer.safetensors'), moments);
      if (ema) {
        const means = [...(await ema.state())].map(([name, values]) => ({
          name,
          shape: [values.length],
          read: async () => values,
        }));
        await writeSafetensors(join(partial, 'average.safetensors'), means);
      }
      const stored: StoredState = { format: FORMAT, settings: this.#settings, ...state };
      await writeFile(join(partial, 'state.json'), `${JSON.stringify(stored, null, 2)}\n`, { flush: true });
      await syncFolder(partial);
      await this.#remove(basename(path));
      await rename(partial, path);
      // Older checkpoints are removed only when this one survives a power cut.
      await syncFolder(this.#folder);
    } catch (error) {
      await this.#remove(basename(partial)).catch(() => {});
      if (error instanceof RelflowError) throw error;
      throw new OutputError(
        path,
        `cannot be written: ${describeSystemError(error, path) ?? (error as Error).message}`,
        { cause: error },
      );
    }
    for (const old of (await this.#all()).slice(0, -this.#keep))
      await wrapFileErrors(join(this.#folder, old), () => this.#remove(old));
    return path;
  }

  /** Returns the folder of the newest checkpoint; null if there is none. */
  async newest(): Promise<string | null> {
    const last = (await this.#all()).at(-1);
    return last === undefined ? null : join(this.#folder, last);
  }

  /**
   * Restores weights, optimizer and average from a checkpoint.
   * @throws OutputError when it belongs to a run with other settings
   * @throws RelflowError (`bad-checkpoint`) when it is damaged or belongs to another model
   */
  async restore(path: string, { parameters, optimizer, ema }: TrainedState): Promise<TrainingState> {
    const { settings, step, updates, next } = await readState(path);
    if (settings !== this.#settings)
      throw new OutputError(
        path,
        `was written with other settings (${settings}, expected ${this.#settings}): resume with the original configuration`,
      );
    const weights = await openSafetensors(join(path, 'weights.safetensors'));
    try {
      await loadWeights(parameters, weights);
    } finally {
      await weights.close();
    }
    const moments = await readArrays(join(path, 'optimizer.safetensors'));
    const state = new Map<string, MomentValues>();
    for (const [entry, first] of moments) {
      if (!entry.endsWith('/first')) continue;
      const name = entry.slice(0, -'/first'.length);
      state.set(name, { first, second: moments.get(`${name}/second`) ?? new Float32Array(0) });
    }
    optimizer.restore(updates, state);
    if (ema) ema.restore(await readArrays(join(path, 'average.safetensors')));
    return { step, updates, next };
  }

  /** Removes what a checkpoint wrote. A folder in which somebody has put other files stays, with these files. */
  async #remove(name: string): Promise<void> {
    const path = (below: string) => `checkpoints/${name}/${below}`;
    const folder = join(this.#folder, name);
    if ((await lstat(folder).catch(() => null))?.isDirectory() !== true) return;
    const { files } = await sortEntries(folder, {
      isFile: (below) => isCheckpointFile(path(below)),
      isFolder: () => false,
    });
    await removeEntries(this.#folder, { files: files.map((below) => `${name}/${below}`), folders: [name] });
  }

  async #all(): Promise<string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && /^step-\d{8,}$/.test(entry.name))
      .map(({ name }) => name)
      .sort();
  }
}

async function readArrays(path: string): Promise<Map<string, Float32Array>> {
  const source = await openSafetensors(path);
  const values = new Map<string, Float32Array>();
  try {
    for (const name of source.entries.keys()) values.set(name, await readFinite(source, name));
  } finally {
    await source.close();
  }
  return values;
}

async function readState(path: string): Promise<StoredState> {
  const file = join(path, 'state.json');
  const badCheckpoint = (problem: string, cause?: unknown) =>
    new RelflowError('bad-checkpoint', `${file}: ${problem}`, { path }, { cause });
  let state: Partial<StoredState>;
  try {
    state = (await readSmallJson(file)) as Partial<StoredState>;
  } catch (cause) {
    throw badCheckpoint('cannot be read', cause);
  }
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  if (state?.format !== FORMAT) throw badCheckpoint(`has format ${String(state?.format)}, expected ${FORMAT}`);
  if (
    ![state.step, state.updates, state.next?.epoch, state.next?.position].every(isCount) ||
    typeof state.settings !== 'string'
  )
    throw badCheckpoint('expected step, updates, next.epoch and next.position as whole numbers, and settings');
  return state as StoredState;
}
