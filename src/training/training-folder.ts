import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { OutputError } from '../errors.js';
import { lockFolder } from '../files/lock-folder.js';
import { writeAtomically } from '../files/write-atomically.js';
import type { TrainingSettings } from './settings/training-settings.js';
import type { TrainOptions } from './train-options.js';

/** How a training treats an earlier one in its folder. */
type EarlierRun = Pick<TrainOptions, 'resume' | 'overwrite'>;

/** The output folder of a training. */
export class TrainingFolder {
  readonly path: string;
  readonly settings: string;
  readonly log: string;
  readonly checkpoints: string;
  readonly curves: string;
  readonly weights: string;
  readonly failure: string;
  readonly #inner: string;

  constructor(path: string) {
    this.path = path;
    this.settings = join(path, 'settings.json');
    this.log = join(path, 'log.jsonl');
    this.checkpoints = join(path, 'checkpoints');
    this.curves = join(path, 'curves.html');
    this.weights = join(path, 'weights.safetensors');
    this.failure = join(path, 'failure.json');
    this.#inner = join(path, '.relflow');
  }

  /**
   * Checks that a training with these settings may use the folder; writes nothing.
   * @throws OutputError when the folder contains a training that is neither resumed nor overwritten, contains none to
   *   resume, or contains one with other settings
   */
  async check(settings: TrainingSettings, { resume, overwrite }: EarlierRun): Promise<void> {
    if (overwrite) return;
    const found = await readFile(this.settings, 'utf8').catch(() => null);
    if (found !== null && !resume)
      throw new OutputError(
        this.path,
        'already contains a training run: pass --resume to continue it, or --overwrite to replace it',
      );
    if (found === null && resume) throw new OutputError(this.path, 'contains no training run to resume');
    if (found === null || found === fileText(settings)) return;
    throw new OutputError(
      this.settings,
      `belongs to a run with another '${changedSetting(found, settings)}': choose another folder, or pass --overwrite to replace it`,
    );
  }

  /** Locks the folder against other processes of this machine. @returns a function that releases the lock */
  lock(): Promise<() => Promise<void>> {
    return lockFolder(this.path, join(this.#inner, 'lock'));
  }

  /** Removes an earlier training if it is to be overwritten, and records the settings of this one. */
  async start(settings: TrainingSettings, { resume, overwrite }: EarlierRun): Promise<void> {
    // The settings are replaced last, so that a folder with checkpoints always has settings.
    if (overwrite)
      for (const path of [this.checkpoints, this.log, this.curves, this.weights, this.failure])
        await rm(path, { recursive: true, force: true });
    await mkdir(this.path, { recursive: true });
    if (!resume) await writeAtomically(this.settings, [fileText(settings)]);
  }
}

const fileText = (settings: TrainingSettings): string => `${JSON.stringify(settings, null, 2)}\n`;

/** Returns the name of the first setting that differs. */
function changedSetting(before: string, settings: TrainingSettings): string {
  try {
    const known = JSON.parse(before) as Record<string, unknown>;
    const changed = Object.entries(settings).find(([key, value]) => !isDeepStrictEqual(known[key], value));
    return changed?.[0] ?? 'setting';
  } catch {
    return 'setting';
  }
}
