import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionError, OutputError } from '../errors.js';
import { RlipV2 } from '../model/rlip-v2.js';
import { byteTokenizer, openTokenizer, type Tokenizer } from '../model/text/tokenizer.js';
import { initializeWeights } from '../model/weights/initialize.js';
import { loadWeights } from '../model/weights/load-weights.js';
import { openWeights } from '../model/weights/open-weights.js';
import { modelMetadata } from '../model/weights/stored-model.js';
import { AdamW } from './adam-w.js';
import { Checkpoints, settingsDigest, type TrainingState, writeWeights } from './checkpoint.js';
import { TaggerRun, type TrainTaggerOptions } from './tagger-run.js';
import type { TaggerSettings } from './tagger-settings.js';
import type { TrainingData } from './training-data.js';

export interface TrainingResult {
  readonly finished: boolean;
  readonly step: number;
  /** The trained weights, or the checkpoint to go on from. */
  readonly path: string;
  /** The last step's. */
  readonly loss: number | null;
}

/** A tagger that is about to be trained. @throws where weights or tokenizer can't be read */
export async function openTagger(
  settings: TaggerSettings,
  { initialWeights, tokenizer }: Pick<TrainTaggerOptions, 'initialWeights' | 'tokenizer'>,
): Promise<{ model: RlipV2; tokenizer: Tokenizer }> {
  const bytes = settings.model.text.vocabulary === 260;
  if (!bytes && tokenizer === undefined)
    throw new OptionError(
      'training',
      `${settings.model.name} needs a tokenizer, expected the folder of roberta-base's`,
    );
  const read = bytes ? byteTokenizer : await openTokenizer(tokenizer!);
  const model = new RlipV2(settings.model);
  if (initialWeights === undefined) initializeWeights(model.parameters, settings.seed);
  else {
    const source = await openWeights(initialWeights);
    try {
      await loadWeights(model.parameters, source);
    } finally {
      await source.close();
    }
  }
  return { model, tokenizer: read };
}

/**
 * Trains an R-Tagger with denoising. A run that was stopped or killed goes on from its last checkpoint to the same
 * numbers: what is drawn depends on seed, step and place in the data alone.
 *
 * @throws OptionError where there are fewer images than a batch takes
 * @throws OutputError where the folder holds a run and `resume` is not set, or one of other settings
 * @throws RelflowError (`diverged`) where a loss or gradient is no number; `failure.json` says which images it was, and
 *   the weights before that step are in a checkpoint
 *
 * Source: RLIPv2, section 4.2; engine.py.
 */
export async function trainTagger(options: TrainTaggerOptions): Promise<TrainingResult> {
  const { settings, data, out, stop } = options;
  if (data.census.total < settings.batch)
    throw new OptionError(
      'training',
      `a batch of ${settings.batch} images, but only ${data.census.total} to learn from`,
    );
  const digest = settingsDigest(settings);
  const { objects, relations } = data.census.vocabularies;
  const metadata = modelMetadata({
    config: settings.model,
    view: { shorter: Math.max(...settings.views.shorter), longest: settings.views.longest },
    ...(allAtOnce(settings, data) && { labels: { objects: objects.names, relations: relations.names } }),
  });
  const checkpoints = new Checkpoints(join(out, 'checkpoints'), digest, metadata);
  const newest = await checkpoints.newest();
  if (newest !== null && !options.resume)
    throw new OutputError(out, 'holds a training run: go on with --resume, or give another folder');
  await mkdir(out, { recursive: true });
  await checkSettings(join(out, 'settings.json'), settings);
  const { model, tokenizer } = await openTagger(settings, options);
  const optimizer = new AdamW(model.parameters.values(), settings.optimizer);
  const run = new TaggerRun(options, model, tokenizer, optimizer, checkpoints);
  try {
    const start: TrainingState = { step: 0, updates: 0, next: { epoch: 0, position: 0 } };
    const state = newest === null ? start : await checkpoints.restore(newest, model.parameters, optimizer);
    const end = await run.go(state);
    const loss = run.lastLoss;
    if (stop.aborted && !run.finished) return { finished: false, step: end.step, path: run.lastCheckpoint, loss };
    const path = join(out, 'weights.safetensors');
    await writeWeights(path, model.parameters, metadata);
    await run.tell({ event: 'end', step: end.step, weights: path });
    return { finished: true, step: end.step, path, loss };
  } finally {
    optimizer.dispose();
    model.dispose();
  }
}

/** Whether each batch has all texts of the data: then what is trained knows itself among all of them alone. */
const allAtOnce = ({ texts }: TaggerSettings, { census: { vocabularies } }: TrainingData): boolean =>
  vocabularies.objects.names.length <= texts.objects && vocabularies.relations.names.length <= texts.relations;

/** A folder belongs to one set of settings, whether it has a checkpoint yet or not. */
async function checkSettings(path: string, settings: TaggerSettings): Promise<void> {
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known === null) {
    // A process that is killed here leaves no half of it.
    await writeFile(`${path}.partial`, text, { flush: true });
    await rename(`${path}.partial`, path);
  } else if (known !== text) {
    const was = JSON.parse(known) as Record<string, unknown>;
    const name = Object.entries(settings).find(([key, value]) => JSON.stringify(was[key]) !== JSON.stringify(value));
    throw new OutputError(path, `is of a run with another '${name?.[0] ?? 'setting'}': give another folder`);
  }
}
