import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { OutputError } from '../errors.js';
import { lockFolder } from '../files/lock-folder.js';
import { makeFolder } from '../files/make-folder.js';
import { nameEntries, type OwnPaths, removeEntries, sortEntries } from '../files/own-entries.js';
import { uuidPattern } from '../files/uuid-pattern.js';
import { writeAtomically } from '../files/write-atomically.js';
import type { BestWeightsFiles } from './best-weights.js';
import { isCheckpointFile, isCheckpointFolder } from './checkpoints.js';
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
  readonly best: BestWeightsFiles;
  readonly #inner: string;

  constructor(path: string) {
    this.path = path;
    this.settings = join(path, 'settings.json');
    this.log = join(path, 'log.jsonl');
    this.checkpoints = join(path, 'checkpoints');
    this.curves = join(path, 'curves.html');
    this.weights = join(path, 'weights.safetensors');
    this.failure = join(path, 'failure.json');
    this.best = { candidate: join(path, '.best.safetensors'), best: join(path, 'best.safetensors') };
    this.#inner = join(path, '.relflow');
  }

  /**
   * Checks that a training with these settings may use the folder; writes nothing.
   * @throws OutputError when the folder contains a training that is neither resumed nor overwritten, contains none to
   *   resume, or contains one with other settings; or when files that no training wrote would be replaced
   */
  async check(settings: TrainingSettings, { resume, overwrite }: EarlierRun): Promise<void> {
    const found = await readFile(this.settings, 'utf8').catch(() => null);
    await this.#checkEntries(found, overwrite ?? false);
    if (overwrite) return;
    if (found !== null && !resume)
      throw new OutputError(
        this.path,
        'already contains a training run: pass --resume to continue it, or --overwrite to replace it',
      );
    if (found === null && resume) throw new OutputError(this.path, 'contains no training run to resume');
    const changed = found === null ? [] : changedSettings(found, settings);
    const isOther = changed.find((name) => name !== 'epochs' && name !== 'steps');
    if (isOther === undefined && (changed.length === 0 || !isShorter(found!, settings))) return;
    throw new OutputError(
      this.settings,
      isOther === undefined
        ? `belongs to a longer run: resume with at least its epochs and steps, choose another folder, or pass --overwrite to replace it`
        : `belongs to a run with another '${isOther}': choose another folder, or pass --overwrite to replace it`,
    );
  }

  /** Locks the folder against other processes of this machine. @returns a function that releases the lock */
  lock(): Promise<() => Promise<void>> {
    return lockFolder(this.path, join(this.#inner, 'lock'));
  }

  /** Checks that no link is followed, and that only files of a training are removed or replaced. */
  async #checkEntries(settings: string | null, overwrite: boolean): Promise<void> {
    const { files, foreign, links } = await sortEntries(this.path, ownPaths);
    if (links.length > 0)
      throw new OutputError(this.path, `${nameEntries(links)}: is a link, expected files of the training itself`);
    if (overwrite && (await lstat(this.path).catch(() => null))?.isSymbolicLink())
      throw new OutputError(
        this.path,
        'is a link, and a training is never replaced through one; give the folder itself',
      );
    const isTraining = settings !== null && isSettings(settings);
    // A process that was killed before it had written the settings leaves only a file with a name of relflow alone.
    const inTheWay = isTraining ? (overwrite ? foreign : []) : files.filter((path) => !hasOwnName.test(path));
    if (inTheWay.length === 0) return;
    throw new OutputError(
      this.path,
      `contains files that no training wrote: ${nameEntries(inTheWay)}; move them away, or choose another folder`,
    );
  }

  /** Removes an earlier training if it is to be overwritten, and records the settings of this one. */
  async start(settings: TrainingSettings, { overwrite }: EarlierRun): Promise<void> {
    // The settings are replaced last, so that a folder with checkpoints always has settings.
    const { files, folders } = await sortEntries(this.path, ownPaths);
    await removeEntries(this.path, {
      files: files.filter((path) => (overwrite ? path !== 'settings.json' : isTemporary.test(path))),
      folders: overwrite ? folders : [],
    });
    await makeFolder(this.path);
    // A training that is resumed may be lengthened.
    await writeAtomically(this.settings, [fileText(settings)]);
  }
}

const ownFile = new RegExp(
  String.raw`^(?:settings\.json|log\.jsonl|curves\.html|failure\.json|\.?(?:weights|best)\.safetensors|\.\.best\.safetensors)(?:(?:\.${uuidPattern})?\.partial)?$`,
);
const isTemporary = /\.partial$/;
const hasOwnName = new RegExp(String.raw`\.${uuidPattern}\.partial$`);

/** Paths in the folder of a training that relflow writes. */
const ownPaths: OwnPaths = {
  isFile: (path) => ownFile.test(path) || isCheckpointFile(path),
  isFolder: (path) => path === '.relflow' || path === 'checkpoints' || isCheckpointFolder(path),
  isKept: (path) => /^\.relflow\/lock(?:\.|\/|$)/.test(path),
};

/** Returns whether the text of a file is the settings of a training. */
function isSettings(text: string): boolean {
  try {
    const { model, optimizer, augmentation } = JSON.parse(text) as Record<string, unknown>;
    return [model, optimizer, augmentation].every((part) => part !== null && typeof part === 'object');
  } catch {
    return false;
  }
}

const fileText = (settings: TrainingSettings): string => `${JSON.stringify(settings, null, 2)}\n`;

/** Returns the names of the settings that differ. */
function changedSettings(before: string, settings: TrainingSettings): string[] {
  try {
    const known = JSON.parse(before) as Record<string, unknown>;
    return Object.entries(settings).flatMap(([key, value]) => (isDeepStrictEqual(known[key], value) ? [] : [key]));
  } catch {
    return ['setting'];
  }
}

/** Returns whether a training has fewer epochs or steps than the one in the folder. */
function isShorter(before: string, { epochs, steps }: TrainingSettings): boolean {
  const known = JSON.parse(before) as Pick<TrainingSettings, 'epochs' | 'steps'>;
  const all = Number.POSITIVE_INFINITY;
  return epochs < known.epochs || (steps ?? all) < (known.steps ?? all);
}
