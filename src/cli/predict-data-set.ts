import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type DataSetLabels, dataSetLabels } from '../evaluation/predictions/data-set-labels.js';
import { keepTopScores } from '../evaluation/predictions/keep-top-scores.js';
import { predictGivenPairs } from '../evaluation/predictions/predict-given-pairs.js';
import { type ImagePredictor, writePredictions } from '../evaluation/predictions/write-predictions.js';
import { checksum } from '../files/checksum.js';
import { checkImageFolder } from '../files/image-folder.js';
import { readLabelLists } from '../files/read-label-lists.js';
import { InputError, OptionError, sceneGraphLines, version } from '../index.js';
import type { BackendName } from '../model/backends/backend-names.js';
import type { PairScoring } from '../model/detector/post-process.js';
import type { ModelConfig } from '../model/model-config.js';
import { preset } from '../model/presets.js';
import { taggerWeights } from '../model/tagger/embedded-tagger.js';
import { openWeights } from '../model/weights/open-weights.js';
import { storedModel } from '../model/weights/stored-model.js';
import type { AnnotatedSet } from '../records/annotated-set.js';
import type { ImageRecord } from '../records/image.js';
import type { Source, SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { type DataSetOfFile, type DataSetOptions, dataSetOfFile } from '../run-folder/data-set-of-file.js';
import { annotatedSetName, annotatedSource } from '../sources/annotated-source.js';
import type { CommandContext } from './command-context.js';
import { type ProgressFlags, progressDisplay, progressIn } from './progress.js';
import { stopOnInterrupt } from './stop-on-interrupt.js';

/** Options of `relflow predict`. */
export interface PredictFlags extends ProgressFlags, DataSetOptions {
  readonly weights: string;
  readonly model?: string;
  readonly tokenizer?: string;
  readonly backend?: string;
  readonly threads?: number;
  readonly size?: readonly [number, number];
  readonly data: string;
  readonly images: string;
  readonly limit?: number;
  readonly labels?: string;
  readonly nf?: boolean;
  readonly top?: number;
  readonly out: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

type Records = AsyncIterable<SourceItem<ImageRecord & Related>>;

/** Writes the predictions of a model for a data set. */
export async function predictDataSet(context: CommandContext, given: PredictFlags): Promise<void> {
  const flags = { ...given, weights: taggerWeights(given.weights) };
  const { weights, data, images, out, labels: labelsFile, nf = false, top, limit, resume, overwrite } = flags;
  for (const file of [weights, data])
    if (!(await stat(file).catch(() => null))) throw new InputError(file, 'no such file');
  await checkImageFolder(images);
  const set = await dataSetOfFile('predict', data, dataSetFlags(flags));
  const annotated: AnnotatedSet = 'sceneGraphs' in set ? {} : set;
  const name = annotatedSetName(annotated);
  const config = await configOf(weights, flags.model);
  const isTagger = config.queries === 'tagger';
  const isHoi = name === 'hico' || name === 'vcoco';
  if (nf && (name !== 'hico' || isTagger))
    throw new OptionError(
      'predict',
      '--nf is a setting of HICO-DET and of models that find pairs; the data or the weights are others',
    );
  if (top !== undefined && name === 'vcoco')
    throw new OptionError('predict', '--top cannot be used with V-COCO, whose evaluator reads all scores');
  const scoring: PairScoring = nf ? 'hoi-zero-shot' : isHoi && !isTagger ? 'hoi' : 'scene-graph';
  const source = sourceOf(set, images, limit);
  const interrupt = stopOnInterrupt(context, () => context.printNote('stopping after this image'));
  interrupt.kill.addEventListener('abort', () => context.exit(130));
  const tempDir = await mkdtemp(join(tmpdir(), 'relflow-'));
  const items = (): Records => source.read({ signal: interrupt.stop, tempDir, progress: () => {} });
  const display = progressDisplay(context, flags);
  let dispose = () => {};
  try {
    const labels =
      labelsFile === undefined ? await dataSetLabels(annotated, () => recordsOf(items())) : await labelsOf(labelsFile);
    if (labels.objects.length === 0 || labels.predicates.length === 0)
      throw new InputError(data, 'has no objects or no relations to ask for; give --labels');
    const { predict, size, close } = isTagger
      ? await openTagger(flags, labels)
      : await openDetector(flags, labels, config, scoring);
    dispose = close;
    const header = {
      predictions: 1 as const,
      objects: [...labels.objects],
      predicates: [...labels.predicates],
      fused: scoring !== 'scene-graph',
      settings: {
        relflow: version,
        model: config.name,
        weights: basename(weights),
        'weights SHA-256': (await checksum(weights)).sha256,
        task: isTagger ? 'predicate classification' : 'detection',
        ...(!isTagger && { scores: scoring }),
        ...(size && { size }),
        ...(top !== undefined && { top }),
        data: name ?? 'scene graphs',
        file: basename(data),
        ...(flags.split !== undefined && { split: flags.split }),
        ...(limit !== undefined && { limit }),
        ...(flags.backend !== undefined && { backend: flags.backend }),
      },
    };
    const fused = header.fused;
    const written = await writePredictions(
      items(),
      top === undefined
        ? predict
        : async (record, signal) => keepTopScores(await predict(record, signal), labels.predicates.length, top, fused),
      {
        out,
        header,
        resume: resume ?? false,
        overwrite: overwrite ?? false,
        signal: interrupt.stop,
        onImage: (done) => display.update(progressIn('records', done, limit ?? null)),
      },
    );
    display.end();
    if (flags.json) context.print(JSON.stringify({ out, ...written }));
    else {
      const before = written.resumed > 0 ? `, ${written.resumed} of them before` : '';
      context.print(`${out}: ${written.images} images${before}`);
    }
    for (const [reason, count] of Object.entries(written.refused))
      context.printNote(`${count} ${count === 1 ? 'image' : 'images'} without predictions: ${reason}`);
    if (written.images === 0) throw new InputError(data, 'has no image that could be read');
  } catch (error) {
    if (interrupt.stop.aborted) context.printNote(`stopped: ${out}.partial; pass --resume to continue`);
    throw error;
  } finally {
    display.end();
    dispose();
    interrupt.dispose();
    await rm(tempDir, { recursive: true, force: true });
  }
}

const dataSetFlags = ({ instances, categories, descriptions, dicts, imageData, split }: PredictFlags) => ({
  ...(instances !== undefined && { instances }),
  ...(categories !== undefined && { categories }),
  ...(descriptions !== undefined && { descriptions }),
  ...(dicts !== undefined && { dicts }),
  ...(imageData !== undefined && { imageData }),
  ...(split !== undefined && { split }),
});

function sourceOf(set: DataSetOfFile, images: string, limit: number | undefined): Source<ImageRecord & Related> {
  const most = limit === undefined ? {} : { limit };
  if ('sceneGraphs' in set) return sceneGraphLines({ sceneGraphs: set.sceneGraphs, ...most });
  return annotatedSource(set, { images, ...most });
}

async function labelsOf(file: string): Promise<DataSetLabels> {
  const { objects, relations: predicates } = await readLabelLists(file);
  return { objects, predicates };
}

async function* recordsOf(items: Records): AsyncGenerator<ImageRecord & Related> {
  for await (const { record } of items) if (record) yield record;
}

/** Returns the configuration of the model of a preset, or of a weights file. */
async function configOf(weights: string, name: string | undefined): Promise<ModelConfig> {
  if (name !== undefined) return preset(name);
  const source = await openWeights(weights);
  try {
    const { config } = storedModel(source.name, source.metadata ?? {});
    if (config) return config;
    throw new OptionError('predict', `${weights} does not name its model, expected --model, such as parsedaR50`);
  } finally {
    await source.close();
  }
}

interface Opened {
  readonly predict: ImagePredictor;
  readonly size?: { readonly shorter: number; readonly longest: number };
  readonly close: () => void;
}

const backendOf = ({ backend, threads, tokenizer }: PredictFlags) => ({
  ...(backend !== undefined && { backend: backend as BackendName | 'auto' }),
  ...(threads !== undefined && { threads }),
  ...(tokenizer !== undefined && { tokenizer }),
});

async function openDetector(
  flags: PredictFlags,
  { objects, predicates }: DataSetLabels,
  config: ModelConfig,
  scoring: PairScoring,
): Promise<Opened> {
  const { weights, images, size } = flags;
  const { openPairPredictor } = await import('../model/detector/pair-predictor.js');
  const predictor = await openPairPredictor('predict', {
    weights,
    images,
    categories: objects,
    predicates,
    config,
    ...backendOf(flags),
    ...(size && { size }),
  });
  return {
    predict: (record, signal) => predictor.predict(record.image, scoring, signal),
    size: predictor.size,
    close: () => predictor.dispose(),
  };
}

async function openTagger(flags: PredictFlags, { objects, predicates }: DataSetLabels): Promise<Opened> {
  const { weights, images, model, size } = flags;
  const { rTagger } = await import('../model/tagger/r-tagger.js');
  const tagger = rTagger({
    weights,
    images,
    categories: objects,
    ...(model !== undefined && { model }),
    ...backendOf(flags),
    ...(size && { view: { shorter: size[0], longest: size[1] } }),
  });
  return {
    predict: (record, signal) => predictGivenPairs(record, tagger, predicates, signal),
    ...(size && { size: { shorter: size[0], longest: size[1] } }),
    close: () => {},
  };
}
