import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type PairScoring, postProcess } from '../../src/model/detector/post-process.js';
import type { Differences } from './compare.js';
import { readJson } from './golden-files.js';

interface Written {
  readonly objects: number;
  readonly verbs: number;
  readonly images: readonly {
    readonly width: number;
    readonly height: number;
    readonly queries: readonly {
      readonly subject_logits: readonly number[];
      readonly object_logits: readonly number[];
      readonly verb_logits: readonly number[];
      readonly subject_box: readonly number[];
      readonly object_box: readonly number[];
    }[];
  }[];
}

interface Expected {
  readonly pairs: number;
  readonly labels: readonly number[];
  readonly boxes: readonly (readonly number[])[];
  readonly scores: readonly (readonly number[])[];
}

const SCORINGS: readonly (readonly [key: string, scoring: PairScoring])[] = [
  ['hoi', 'hoi'],
  ['hoi_zero_shot', 'hoi-zero-shot'],
  ['sgg', 'scene-graph'],
];

/**
 * Compares the step from logits to scored pairs. Boxes are compared as fractions of the image: the official code computes them in
 * single precision, which is coarser than 1e-6 pixels.
 */
export function comparePostProcess(
  folder: string,
  expected: Readonly<Record<string, readonly Expected[]>> | undefined,
  differences: Differences,
): void {
  if (expected === undefined || !existsSync(join(folder, 'postprocess.json'))) return;
  const { objects, verbs, images } = readJson<Written>(folder, 'postprocess.json');
  const names = (name: string, count: number) => Array.from({ length: count }, (_, k) => `${name} ${k}`);
  const categories = [...names('object', objects), 'no objects'];
  const labels = { objects: categories, relations: names('verb', verbs) };
  for (const [key, scoring] of SCORINGS)
    for (const [k, image] of images.entries()) {
      const flat = (name: keyof Written['images'][number]['queries'][number]) =>
        Float32Array.from(image.queries.flatMap((query) => query[name]));
      const outputs = {
        subjectLogits: flat('subject_logits'),
        objectLogits: flat('object_logits'),
        relationLogits: flat('verb_logits'),
        subjectBoxes: flat('subject_box'),
        objectBoxes: flat('object_box'),
      };
      const result = postProcess(outputs, labels, image, scoring);
      const fraction = ([x1, y1, x2, y2]: readonly number[]) => [
        x1! / image.width,
        y1! / image.height,
        x2! / image.width,
        y2! / image.height,
      ];
      // In the order of the queries, in which the official code leaves them.
      const pairs = [...result.pairs].sort((a, b) => a.subject - b.subject);
      const ends = [...pairs.map(({ subject }) => subject), ...pairs.map(({ object }) => object!)].map(
        (end) => result.objects[end]!,
      );
      const factor = ({ subject, object }: (typeof pairs)[number]) =>
        scoring === 'scene-graph' ? result.objects[subject]!.score! * result.objects[object!]!.score! : 1;
      const actual: Expected = {
        pairs: pairs.length,
        labels: ends.map(({ category }) => categories.indexOf(category)),
        boxes: ends.map(({ xyxy }) => fraction(xyxy)),
        scores: pairs.map((pair) => pair.scores.map((score) => score * factor(pair))),
      };
      const wanted = expected[key]?.[k];
      differences.compare(
        actual,
        wanted && { ...wanted, boxes: wanted.boxes.map(fraction) },
        `postprocess.${key}.${k}`,
      );
    }
}
