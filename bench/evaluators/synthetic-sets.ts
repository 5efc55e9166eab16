import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { GraphTruth, HoiImage } from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import { Random } from '../../src/records/random.js';
import { coco80Categories } from '../../src/vocabulary/categories.js';
import { hicoInteractions, hicoVerbs } from '../../src/vocabulary/hico.js';

const names = new Map(coco80Categories.map(({ id, name }) => [id, name]));
const digits = (value: number, count: number) => Number(value.toFixed(count));

/** A synthetic set: the truth in memory, and files of predictions and of the truth for Python. */
export interface SyntheticSet<Truth> {
  readonly truth: Truth;
  readonly predictions: string;
  readonly pythonTruth: string;
}

/** Writes a set of HICO-DET's size: 100 pairs of an image with scores for all 117 verbs. */
export async function writeHicoSet(
  folder: string,
  count: number,
  pairs = 100,
): Promise<SyntheticSet<readonly HoiImage[]>> {
  const random = new Random(1);
  const truth: HoiImage[] = [];
  const predictions = join(folder, 'hico.jsonl');
  const lines = createWriteStream(predictions);
  const objects = coco80Categories.map(({ name }) => name);
  lines.write(`${JSON.stringify({ predictions: 1, objects, predicates: hicoVerbs, fused: true })}\n`);
  for (let k = 0; k < count; k++) {
    const interactions = Array.from({ length: 1 + Math.floor(random.next() * 6) }, () =>
      pick(hicoInteractions, random),
    );
    const image: HoiImage = {
      file: `${k}.jpg`,
      objects: interactions.flatMap(({ object }) => [
        { box: box(random), category: 1 },
        { box: box(random), category: object },
      ]),
      interactions: interactions.map(({ verb, index }, n) => ({
        subject: 2 * n,
        object: 2 * n + 1,
        verb,
        triplet: index + 1,
      })),
      dangling: 0,
    };
    truth.push(image);
    const found = Array.from({ length: pairs }, () => {
      const n = Math.floor(random.next() * interactions.length);
      const [person, object] = [image.objects[2 * n]!, image.objects[2 * n + 1]!];
      return {
        verb: interactions[n]!.verb,
        ends: [
          { xyxy: moved(person.box, random), category: 'person', score: 1 },
          { xyxy: moved(object.box, random), category: names.get(object.category)!, score: 1 },
        ],
      };
    });
    const written = {
      image: { file: image.file },
      objects: found.flatMap(({ ends }) => ends),
      pairs: found.map(({ verb }, n) => ({
        subject: 2 * n,
        object: 2 * n + 1,
        scores: hicoVerbs.map((_, v) => digits(random.next() ** 4 * (v + 1 === verb ? 1 : 0.5), 5)),
      })),
    };
    if (!lines.write(`${JSON.stringify(written)}\n`)) await once(lines, 'drain');
  }
  lines.end();
  await finished(lines);
  const pythonTruth = join(folder, 'hico-truth.json');
  writeFileSync(
    pythonTruth,
    JSON.stringify({
      valid: hicoInteractions.map(({ verb, object }) => [hicoVerbs[verb - 1], names.get(object)]),
      images: truth.map((image) => ({
        file: image.file,
        boxes: image.objects.map((object) => object.box),
        categories: image.objects.map(({ category }) => names.get(category)),
        relations: image.interactions.map(({ subject, object, verb }) => [subject, object, hicoVerbs[verb - 1]]),
      })),
    }),
  );
  return { truth, predictions, pythonTruth };
}

/** Writes a set of VG150's size: 150 classes, 50 predicates, 100 pairs of an image. */
export async function writeGraphSet(folder: string, count: number, pairs = 100): Promise<SyntheticSet<GraphTruth>> {
  const random = new Random(2);
  const objects = Array.from({ length: 150 }, (_, k) => `class ${k}`);
  const predicates = Array.from({ length: 50 }, (_, k) => `predicate ${k}`);
  const images: GraphTruth['images'][number][] = [];
  const predictions = join(folder, 'graphs.jsonl');
  const lines = createWriteStream(predictions);
  lines.write(`${JSON.stringify({ predictions: 1, objects, predicates, fused: false })}\n`);
  for (let k = 0; k < count; k++) {
    const size = 4 + Math.floor(random.next() * 12);
    const image = {
      id: `${k}`,
      file: null,
      objects: Array.from({ length: size }, () => ({ label: Math.floor(random.next() * 150), box: box(random) })),
      relations: Array.from({ length: 1 + Math.floor(random.next() * 8) }, () => ({
        subject: Math.floor(random.next() * size),
        object: Math.floor(random.next() * size),
        predicate: Math.floor(random.next() ** 2 * 50),
      })),
    };
    images.push(image);
    const found = Array.from({ length: pairs }, (_, n) => ({
      relation: pick(image.relations, random),
      subject: n % size,
      object: (n * 7 + 3) % size,
    }));
    const written = {
      image: { id: k },
      objects: image.objects.map(({ label, box: of }) => ({
        xyxy: moved(of, random),
        category: objects[label]!,
        score: digits(random.next(), 4),
      })),
      pairs: found.map(({ relation, subject, object }) => ({
        subject: random.next() < 0.3 ? relation.subject : subject,
        object: random.next() < 0.3 ? relation.object : object,
        scores: predicates.map((_, p) => digits(random.next() ** 4 * (p === relation.predicate ? 1 : 0.5), 5)),
      })),
    };
    if (!lines.write(`${JSON.stringify(written)}\n`)) await once(lines, 'drain');
  }
  lines.end();
  await finished(lines);
  const pythonTruth = join(folder, 'graphs-truth.json');
  writeFileSync(
    pythonTruth,
    JSON.stringify({
      objects,
      predicates,
      images: images.map(({ id, objects: of, relations }) => ({
        id: Number(id),
        boxes: of.map((object) => object.box),
        labels: of.map(({ label }) => label),
        relations: relations.map(({ subject, object, predicate }) => [subject, object, predicate]),
      })),
    }),
  );
  const truth = { file: 'synthetic', objects, predicates, images, zeroShot: null, withoutRelations: 0 };
  return { truth, predictions, pythonTruth };
}

const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random.next() * items.length)]!;

function box(random: Random): Corners {
  const [x, y] = [Math.floor(random.next() * 500), Math.floor(random.next() * 350)];
  return [x, y, x + 20 + Math.floor(random.next() * 120), y + 20 + Math.floor(random.next() * 110)];
}

function moved([x1, y1, x2, y2]: Corners, random: Random): Corners {
  const by = () => digits((random.next() - 0.5) * 30, 1);
  return [x1 + by(), y1 + by(), x2 + 15 + by(), y2 + 15 + by()];
}
