import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { InputError } from '../errors.js';
import type { Predictions } from '../evaluation/index.js';
import type { ImageRecord } from '../records/image.js';
import type { SourceItem } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import type { TrainingConfig } from '../records/training-config.js';
import { annotatedSource } from '../sources/annotated-source.js';
import type { TrainingEvaluator } from '../training/index.js';

type Evaluation = NonNullable<TrainingConfig['evaluation']>;

/**
 * Returns the evaluator of a fine-tuning: it predicts the test images of HICO-DET or V-COCO with the weights, and scores them as
 * RLIPv2 does during its trainings.
 * @throws InputError if annotations or images are missing
 */
export async function benchmarkEvaluator(config: TrainingConfig, evaluation: Evaluation): Promise<TrainingEvaluator> {
  const { countHicoTriplets, evaluateHico, evaluateVcocoTraining, readHicoImages, readHoiImages } = await import(
    '../evaluation/index.js'
  );
  const { hico, vcoco, images: folder, training: trainingFile, setting, everyEpochs = 1 } = evaluation;
  if (!(await stat(folder).catch(() => null))?.isDirectory()) throw new InputError(folder, 'no such image folder');
  const file = (hico ?? vcoco)!.annotations;
  const images = await (hico ? readHicoImages : readHoiImages)(file);
  const training = trainingFile === undefined ? undefined : await countHicoTriplets(trainingFile);
  const source = annotatedSource(hico ? { hico } : { vcoco: vcoco! }, { images: folder });
  return {
    name: hico ? 'hico' : 'vcoco',
    everyEpochs,
    evaluate: async (weights, signal) => {
      const records = source.read({ signal, tempDir: tmpdir(), progress: () => {} });
      const predictions = await predictionsOf(weights, config, folder, records, signal);
      try {
        const options = { images, file };
        const { report } = hico
          ? await evaluateHico(predictions, {
              ...options,
              ...(training && { training }),
              ...(setting !== undefined && { unseen: setting }),
            })
          : await evaluateVcocoTraining(predictions, options);
        const metrics = Object.entries(report.metrics).filter((entry): entry is [string, number] => entry[1] !== null);
        return { score: report.metrics[hico ? 'mAP' : 'mAP_all'] ?? Number.NaN, metrics: Object.fromEntries(metrics) };
      } finally {
        predictions.dispose();
      }
    },
  };
}

const imageOf = ({ image }: ImageRecord) => ({ file: basename(image.file) });

async function predictionsOf(
  weights: string,
  config: TrainingConfig,
  images: string,
  records: AsyncIterable<SourceItem<ImageRecord & Related>>,
  signal: AbortSignal,
): Promise<Predictions & { dispose(): void }> {
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
    header: { predictions: 1, objects: [...labels!.objects], predicates: [...labels!.relations], fused: true },
    async *images() {
      for await (const { record, rejects = [] } of records) {
        const missing = rejects.find(({ reason }) => reason === 'image-missing');
        // A score over some of the images would be of another benchmark.
        if (missing) throw new InputError(images, `${missing.message}; the evaluation needs all test images`);
        if (record) yield { image: imageOf(record), ...(await predictor.predict(record.image, 'hoi', signal)) };
      }
    },
    dispose: predictor.dispose,
  };
}
