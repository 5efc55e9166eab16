import type { CandidatePair } from '../../records/candidate.js';
import type { Detection } from '../../records/image.js';
import { ascending, MAX_REGIONS } from './regions.js';

/** The pairs of a category of subjects and one of objects that one relation text is proposed for, or a part of them. */
export interface Triplet {
  readonly predicate: string;
  /** Indices into the detections, sorted. */
  readonly subjects: readonly number[];
  readonly objects: readonly number[];
  /** The candidates among the pairs of subjects and objects. */
  readonly pairs: readonly Pair[];
  /** The number of pairs of the whole triplet. */
  readonly possible: number;
}

/** An ordered pair of indices into the detections. */
export type Pair = readonly [subject: number, object: number];

/** The triplets of one request. */
export interface TripletGroup {
  readonly triplets: readonly Triplet[];
  /** The regions that they name, sorted. */
  readonly regions: readonly number[];
}

/** The maximum number of triplets of one request. */
const MAX_TRIPLETS = 16;

/**
 * Groups the texts of pairs by the categories of subject and object, and divides these triplets into groups of at most
 * `MAX_REGIONS` regions. A triplet with more regions is divided.
 */
export function groupTriplets(candidates: readonly CandidatePair[], detections: readonly Detection[]): TripletGroup[] {
  const pairsOf = new Map<string, { predicate: string; pairs: Pair[] }>();
  for (const { subject, object, texts } of candidates)
    for (const { text } of texts) {
      const key = JSON.stringify([detections[subject]!.category, text, detections[object]!.category]);
      const found = pairsOf.get(key);
      if (found) found.pairs.push([subject, object]);
      else pairsOf.set(key, { predicate: text, pairs: [[subject, object]] });
    }
  const triplets = [...pairsOf.values()].flatMap(({ predicate, pairs }) =>
    blocksOf(pairs).map((block) => tripletOf(predicate, block, pairs.length)),
  );
  const groups: { triplets: Triplet[]; regions: Set<number> }[] = [];
  for (const triplet of triplets) {
    const own = [...triplet.subjects, ...triplet.objects];
    const group = groups.find(
      ({ triplets: others, regions }) =>
        others.length < MAX_TRIPLETS && new Set([...regions, ...own]).size <= MAX_REGIONS,
    );
    if (group) {
      group.triplets.push(triplet);
      for (const index of own) group.regions.add(index);
    } else groups.push({ triplets: [triplet], regions: new Set(own) });
  }
  return groups.map(({ triplets: asked, regions }) => ({ triplets: asked, regions: ascending(regions) }));
}

function tripletOf(predicate: string, pairs: readonly Pair[], possible: number): Triplet {
  const subjects = ascending(pairs.map(([subject]) => subject));
  return { predicate, subjects, objects: ascending(pairs.map(([, object]) => object)), pairs, possible };
}

/** Divides pairs into blocks of some subjects and some objects, with at most `MAX_REGIONS` regions each. */
function blocksOf(pairs: readonly Pair[]): Pair[][] {
  const subjects = ascending(pairs.map(([subject]) => subject));
  const objects = ascending(pairs.map(([, object]) => object));
  if (new Set([...subjects, ...objects]).size <= MAX_REGIONS) return [[...pairs]];
  const half = MAX_REGIONS / 2;
  const subjectsAtOnce = objects.length < half ? MAX_REGIONS - objects.length : Math.min(subjects.length, half);
  const objectsAtOnce = MAX_REGIONS - subjectsAtOnce;
  const blockOf = ([subject, object]: Pair) =>
    `${Math.floor(subjects.indexOf(subject) / subjectsAtOnce)} ${Math.floor(objects.indexOf(object) / objectsAtOnce)}`;
  const blocks = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = blockOf(pair);
    blocks.set(key, [...(blocks.get(key) ?? []), pair]);
  }
  return [...blocks.values()];
}
