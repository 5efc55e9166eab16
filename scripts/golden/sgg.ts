import { join } from 'node:path';
import {
  type BenchmarkReport,
  evaluateSceneGraphs,
  type GraphMode,
  type GraphTruth,
  graphTripletKey,
  readVg150Truth,
} from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import type { ImagePredictions } from '../../src/records/predictions.js';
import { vg150FilesOf } from '../../src/sources/vg150-file.js';
import type { Differences } from './compare.js';
import { handCases, predictionsOf, readJson } from './golden-files.js';

interface WrittenTruth {
  readonly image_id?: number;
  readonly objects: readonly { readonly label: number; readonly box: Corners }[];
  readonly relations: readonly (readonly [subject: number, object: number, predicate: number])[];
}

interface WrittenPrediction {
  readonly image_id?: number;
  readonly boxes?: readonly Corners[];
  readonly labels?: readonly number[];
  readonly scores?: readonly number[];
  readonly relations: readonly (readonly number[])[];
}

interface HandCase {
  readonly name: string;
  readonly mode: GraphMode;
  readonly predicates: readonly string[];
  readonly zero_shot: readonly (readonly [number, number, number])[];
  readonly images: readonly WrittenTruth[];
  readonly predictions: readonly WrittenPrediction[];
  readonly expected: Readonly<Record<string, number | null>>;
}

/** Compares the recalls of scene graphs, with the truth from the official files, and these with what the official loader gives. */
export async function compareSgg(folder: string, differences: Differences): Promise<void> {
  const expected = readJson<Record<string, unknown>>(folder, 'expected.json');
  const truth = await readVg150Truth(vg150FilesOf(join(folder, 'VG-SGG-with-attri.h5')));
  const written = readJson<{
    readonly objects: readonly string[];
    readonly predicates: readonly string[];
    readonly zero_shot: HandCase['zero_shot'];
    readonly images: readonly WrittenTruth[];
  }>(folder, 'annotations.json');
  const loaded = truth.images.map(({ id, objects, relations }) => ({
    image_id: Number(id),
    objects: objects.map(({ label, box }) => ({ label: label + 1, box })),
    relations: relations.map(({ subject, object, predicate }) => [subject, object, predicate + 1]),
  }));
  const { objects, predicates, images } = written;
  differences.compare(
    { objects: truth.objects, predicates: truth.predicates, images: loaded },
    {
      objects,
      predicates,
      images: images.map(({ image_id, objects: of, relations }) => ({ image_id, objects: of, relations })),
    },
    'annotations',
  );
  differences.compare(
    [...truth.zeroShot!].sort(),
    written.zero_shot
      .map(([subject, object, predicate]) => graphTripletKey(subject - 1, object - 1, predicate - 1))
      .sort(),
    'zero_shot',
  );
  for (const mode of ['predcls', 'sgcls', 'sgdet'] as const) {
    const predicted = readJson<{ images: readonly WrittenPrediction[] }>(folder, `predictions-${mode}.json`).images;
    const report = await evaluate(truth, mode, predicted);
    differences.compare(inOfficialForm(report), expected[mode], mode);
  }
  for (const hand of handCases<HandCase>(folder)) {
    const labels = hand.images.flatMap((image) => image.objects.map(({ label }) => label));
    const most = Math.max(...labels, ...hand.predictions.flatMap((image) => image.labels ?? []));
    const { metrics, counts } = await evaluate(handTruth(hand, most), hand.mode, hand.predictions);
    const names = Object.fromEntries(
      Object.keys(hand.expected).map((key) => [
        key,
        key === 'images_counted' ? counts['images-counted'] : metrics[key.replace('ng_', 'ng-')],
      ]),
    );
    differences.compare(names, hand.expected, `hand.${hand.name}`);
  }
}

const handTruth = ({ name, predicates, zero_shot: zeroShot, images }: HandCase, labels: number): GraphTruth => ({
  file: name,
  objects: Array.from({ length: labels }, (_, k) => `class ${k + 1}`),
  predicates,
  images: images.map(({ objects, relations }, k) => ({
    id: `${k}`,
    file: null,
    objects: objects.map(({ label, box }) => ({ label: label - 1, box })),
    relations: relations.map(([subject, object, predicate]) => ({ subject, object, predicate: predicate - 1 })),
  })),
  zeroShot: new Set(
    zeroShot.map(([subject, object, predicate]) => graphTripletKey(subject - 1, object - 1, predicate - 1)),
  ),
  withoutRelations: 0,
});

async function evaluate(
  truth: GraphTruth,
  mode: GraphMode,
  images: readonly WrittenPrediction[],
): Promise<BenchmarkReport> {
  const read = ({ image_id: id, boxes, labels, scores, relations }: WrittenPrediction, k: number): ImagePredictions => {
    const { objects } = truth.images.find((image) => image.id === `${id ?? k}`)!;
    const xyxy = boxes ?? objects.map(({ box }) => box);
    return {
      image: { id: id ?? k },
      objects: xyxy.map((box, n) => ({
        xyxy: box,
        category: truth.objects[(labels?.[n] ?? objects[n]!.label + 1) - 1]!,
        score: scores?.[n] ?? 1,
      })),
      pairs: relations.map(([subject, object, , ...of]) => ({ subject: subject!, object: object!, scores: of })),
    };
  };
  const header = { objects: [...truth.objects], predicates: [...truth.predicates], fused: false };
  return (await evaluateSceneGraphs(predictionsOf(header, images.map(read)), { truth, mode })).report;
}

function inOfficialForm({ metrics, classes, counts, images }: BenchmarkReport) {
  const cuts = (name: string) => Object.fromEntries([20, 50, 100].map((cut) => [cut, metrics[`${name}@${cut}`]]));
  const byPredicate = (name: string) =>
    Object.fromEntries([20, 50, 100].map((cut) => [cut, classes.map((row) => row[`${name}@${cut}`])]));
  return {
    images_counted: counts['images-counted'],
    images_with_zero_shot: counts['images-with-zero-shot-relations'],
    R: cuts('R'),
    ngR: cuts('ngR'),
    zR: cuts('zR'),
    ng_zR: cuts('ng-zR'),
    mR: cuts('mR'),
    ng_mR: cuts('ng-mR'),
    R_images_100: images!.map((row) => row['R@100']),
    A: cuts('A'),
    mR_predicates: byPredicate('R'),
    ng_mR_predicates: byPredicate('ngR'),
    detection_mAP50_printed: Number(metrics['mAP50']!.toFixed(4)),
  };
}
