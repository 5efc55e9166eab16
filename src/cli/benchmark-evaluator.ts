import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { InputError, OptionError } from '../errors.js';
import type { BenchmarkEvaluation, Predictions } from '../evaluation/index.js';
import { checkImageFolder } from '../files/image-folder.js';
import type { PairScoring } from '../model/detector/post-process.js';
import type { ImageRecord } from '../records/image.js';
import type { SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import type { TrainingConfig } from '../records/training-config.js';
import { annotatedSource } from '../sources/annotated-source.js';
import type { TrainingEvaluator } from '../training/index.js';

type Evaluation = NonNullable<TrainingConfig['evaluation']>;

/** A benchmark that scores predictions as RLIPv2 does during its trainings. */
interface Benchmark {
  readonly name: string;
  readonly scoring: PairScoring;
  /** The metric that decides which weights are the best. */
  readonly best: string;
  readonly score: (predictions: Predictions) => Promise<BenchmarkEvaluation>;
}

async function benchmarkOf(
  { hico, vcoco, openImages, training, setting }: Evaluation,
  compat: boolean,
): Promise<Benchmark> {
  const evaluators = await import('../evaluation/index.js');
  if (hico) {
    const file = hico.annotations;
    const options = {
      file,
      images: await evaluators.readHicoImages(file),
      ...(training !== undefined && { training: await evaluators.countHicoTriplets(training) }),
      ...(setting !== undefined && { unseen: setting }),
    };
    return { name: 'hico', scoring: 'hoi', best: 'mAP', score: (found) => evaluators.evaluateHico(found, options) };
  }
  if (vcoco) {
    const options = { file: vcoco.annotations, images: await evaluators.readHoiImages(vcoco.annotations) };
    const score = (found: Predictions) => evaluators.evaluateVcocoTraining(found, options);
    return { name: 'vcoco', scoring: 'hoi', best: 'mAP_all', score };
  }
  const { annotations, categories } = openImages!;
  if (categories === undefined)
    throw new OptionError('training', '/evaluation/openImages/categories is missing, expected categories_dict.json');
  const truth = await evaluators.readOpenImagesTruth(annotations, categories);
  const score = (found: Predictions) => evaluators.evaluateOpenImages(found, { truth, compat });
  return { name: 'open-images', scoring: 'scene-graph', best: 'score_wmAP', score };
}

/**
 * Returns the evaluator of a fine-tuning: it predicts the test images of a benchmark with the weights, and scores them.
 * @throws InputError if annotations or images are missing
 */
export async function benchmarkEvaluator(config: TrainingConfig, evaluation: Evaluation): Promise<TrainingEvaluator> {
  const { images, everyEpochs = 1, training: _, setting: __, ...sets } = evaluation;
  await checkImageFolder(images);
  const { name, scoring, best, score } = await benchmarkOf(evaluation, config.compat ?? false);
  const source = annotatedSource(sets, { images });
  return {
    name,
    everyEpochs,
    evaluate: async (weights, signal) => {
      const records = source.read({ signal, tempDir: tmpdir(), progress: () => {} });
      const predictions = await predictionsOf({ weights, config, images, records, scoring, signal });
      try {
        const { report } = await score(predictions);
        const metrics = Object.entries(report.metrics).filter((entry): entry is [string, number] => entry[1] !== null);
        return { score: report.metrics[best] ?? Number.NaN, metrics: Object.fromEntries(metrics) };
      } finally {
        predictions.dispose();
      }
    },
  };
}

const imageOf = ({ image }: ImageRecord) => ({ file: basename(image.file) });

async function predictionsOf({
  weights,
  config,
  images,
  records,
  scoring,
  signal,
}: {
  readonly weights: string;
  readonly config: TrainingConfig;
  readonly images: string;
  readonly records: AsyncIterable<SourceItem<ImageRecord & Related>>;
  readonly scoring: PairScoring;
  readonly signal: AbortSignal;
}): Promise<Predictions & { dispose(): void }> {
  const { openWeights, storedModel } = await import('../model/index.js');
  const { openPairPredictor } = await import('../model/detector/pair-predictor.js');
  const source = await openWeights(weights);
  const { labels } = storedModel(weights, source.metadata ?? {});
  await source.close();
  const predictor = await openPairPredictor('training', {
    weights,
    images,
    categories: labels!.objects,
    predicates: labels!.relations,
    ...(config.tokenizer !== undefined && { tokenizer: config.tokenizer }),
    ...(config.backend !== undefined && { backend: config.backend }),
    ...(config.threads !== undefined && { threads: config.threads }),
  });
  return {
    file: weights,
    header: {
      predictions: 1,
      objects: [...labels!.objects],
      predicates: [...labels!.relations],
      fused: scoring === 'hoi',
    },
    async *images() {
      for await (const { record, rejects = [] } of records) {
        const missing = rejects.find(({ reason }) => reason === 'image-missing');
        // A score over some of the images would be of another benchmark.
        if (missing) throw new InputError(images, `${missing.message}; the evaluation needs all test images`);
        if (record) yield { image: imageOf(record), ...(await predictor.predict(record.image, scoring, signal)) };
      }
    },
    dispose: predictor.dispose,
  };
}
