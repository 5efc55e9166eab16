import { join } from 'node:path';
import {
  type BenchmarkReport,
  evaluateOpenImages,
  evaluateOpenImagesChallenge,
  type OpenImagesTruth,
  readOpenImagesTruth,
} from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import type { Differences } from './compare.js';
import { handCases, imageOfPairs, predictionsOf, readJson } from './golden-files.js';

type WrittenImages = readonly {
  readonly file_name: string;
  readonly pairs: readonly {
    readonly subject: Corners;
    readonly subject_label: number;
    readonly subject_score: number;
    readonly object: Corners;
    readonly object_label: number;
    readonly object_score: number;
    readonly scores: readonly number[];
  }[];
}[];

interface Written {
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly images: WrittenImages;
}

interface HandCase {
  readonly name: string;
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly annotations: readonly {
    readonly file_name: string;
    readonly annotations: readonly { readonly bbox: Corners; readonly category_id: number }[];
    readonly rel_annotations: readonly {
      readonly subject_id: number;
      readonly object_id: number;
      readonly category_id: number;
    }[];
  }[];
  readonly predictions: WrittenImages;
  readonly expected: { readonly rlipv2: unknown; readonly challenge: unknown };
}

/** Compares Open Images' numbers, of both evaluators and from both forms of the annotations. */
export async function compareOpenImages(folder: string, differences: Differences): Promise<void> {
  const expected = readJson<Record<string, unknown>>(folder, 'expected.json');
  const { objects, predicates, images } = readJson<Written>(folder, 'predictions.json');
  const predictions = read(objects, predicates, images);
  for (const file of ['annotations.json', 'annotations-vrd.json']) {
    const truth = await readOpenImagesTruth(join(folder, file), join(folder, 'annotations-categories.json'));
    const rlipv2 = async (options: { suppress?: boolean; compat?: boolean }) =>
      inOfficialForm((await evaluateOpenImages(predictions, { truth, ...options })).report, objects, predicates);
    differences.compare(await rlipv2({ compat: true }), expected['rlipv2'], 'rlipv2');
    differences.compare(
      await rlipv2({ compat: true, suppress: false }),
      expected['rlipv2_without_nms'],
      'rlipv2_without_nms',
    );
    differences.compare(await rlipv2({}), expected['rlipv2_phrases_in_order'], 'rlipv2_phrases_in_order');
    const { report } = await evaluateOpenImagesChallenge(predictions, { truth });
    differences.compare(challengeForm(report), expected['challenge'], 'challenge');
  }
  for (const hand of handCases<HandCase>(folder)) {
    const truth: OpenImagesTruth = { ...hand, file: hand.name, images: hand.annotations.map(readImage) };
    const found = read(hand.objects, hand.predicates, hand.predictions);
    const { metrics } = (await evaluateOpenImages(found, { truth, compat: true })).report;
    const inOrder = (await evaluateOpenImages(found, { truth })).report.metrics['phrases_mAP'];
    const where = `hand.${hand.name}`;
    differences.compare({ ...metrics, phrases_in_order_mAP: inOrder }, hand.expected.rlipv2, `${where}.rlipv2`);
    const { report } = await evaluateOpenImagesChallenge(found, { truth });
    differences.compare(report.metrics, hand.expected.challenge, `${where}.challenge`);
  }
}

function inOfficialForm(
  { metrics, classes }: BenchmarkReport,
  objects: readonly string[],
  predicates: readonly string[],
) {
  const part = (name: string) =>
    Object.fromEntries(
      Object.entries(metrics)
        .filter(([key]) => key.startsWith(`${name}_`))
        .map(([key, value]) => [key.slice(name.length + 1), value]),
    );
  return {
    ...metrics,
    relations: part('relations'),
    phrases: part('phrases'),
    classes: classes.map(({ subject, predicate, object, ...row }) => ({
      ...row,
      subject: objects.indexOf(subject as string),
      predicate: predicates.indexOf(predicate as string),
      object: objects.indexOf(object as string),
    })),
  };
}

function challengeForm({ metrics, classes, counts }: BenchmarkReport) {
  const printed = (name: string) => Number((100 * metrics[name]!).toFixed(2));
  return {
    ...metrics,
    recall_printed: {
      recall_50: printed('R50'),
      recall_100: printed('R100'),
      per_image_50: printed('per_image_R50'),
      per_image_100: printed('per_image_R100'),
    },
    images_left_out: counts['images-without-relations-left-out'],
    predicates: classes.map(({ name, ...row }) => ({ predicate: name, ...row })),
  };
}

const read = (objects: readonly string[], predicates: readonly string[], images: WrittenImages) =>
  predictionsOf(
    { objects: [...objects], predicates: [...predicates], fused: false },
    images.map(({ file_name: file, pairs }) =>
      imageOfPairs(
        { file },
        pairs.map((pair) => ({
          subject: [pair.subject, objects[pair.subject_label]!, pair.subject_score],
          object: [pair.object, objects[pair.object_label]!, pair.object_score],
          scores: pair.scores,
        })),
      ),
    ),
  );

const readImage = ({
  file_name: file,
  annotations,
  rel_annotations: relations,
}: HandCase['annotations'][number]): OpenImagesTruth['images'][number] => ({
  file,
  size: null,
  objects: annotations.map(({ bbox, category_id: category }) => ({ box: bbox, category })),
  relations: relations.map(({ subject_id: subject, object_id: object, category_id: predicate }) => ({
    subject,
    object,
    predicate,
  })),
});
