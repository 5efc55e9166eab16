import { type Box, intersection } from '../records/box.js';
import type { ImageRecord } from '../records/image.js';
import { increment } from '../records/increment.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Related, Relation } from '../records/scene-graph.js';
import { boxRoles } from '../vocabulary/box-roles.js';
import { boxRelation, type RoleBox } from './box-rules.js';
import { type Operator, operator } from './operator.js';

/** Options of `geometry`. */
export interface GeometryOptions {
  /** Maximum number of relations that it adds to an image, those of the largest boxes. Default 12. */
  readonly maxPerImage?: number;
  /** Maximum number of relations that it adds to a box, as subject or object. Default 3. */
  readonly maxPerBox?: number;
}

/** The largest boxes of an image are compared; 2,016 pairs. */
const MAX_BOXES = 64;

/** Smaller boxes, as a share of the image, are left out, since they show little. */
const MIN_SHARE = 0.001;

/**
 * Adds relations that boxes leave little doubt about, with the `source` geometry: `left of`, `right of`, `next to`, `above`,
 * `below`, `in front of`, `behind`, `on` and `in`. A pair gets at most one, and none if it has a relation already. docs/relations.md says when each
 * rule speaks and how often it was right.
 *
 * @throws OptionError when an option is not a positive whole number
 *
 * @example
 * ```ts
 * import { baselineTagger, caption, captionFile, coco, Graph, geometry, match, pair, parse, sceneGraphs, tag } from 'relflow';
 *
 * new Graph('dense')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .pipe(tag(baselineTagger()))
 *   .pipe(geometry())
 *   .to(sceneGraphs());
 * ```
 */
export function geometry(options: GeometryOptions = {}): Operator<ImageRecord & Related, Pick<Related, 'relations'>> {
  const { maxPerImage = 12, maxPerBox = 3 } = options;
  checkPositiveInteger('geometry', 'maxPerImage', maxPerImage);
  checkPositiveInteger('geometry', 'maxPerBox', maxPerBox);
  return operator<ImageRecord & Related, Pick<Related, 'relations'>>({
    name: 'geometry',
    version: '1',
    options: { maxPerImage, maxPerBox },
    needs: ['image', 'detections', 'relations'],
    adds: ['relations'],
    lane: 'any',
    apply: (record, { count, explain }) => {
      const found = relationsOfBoxes(record);
      const added = bounded(found, maxPerImage, maxPerBox);
      count('relations', added.length);
      if (added.length < found.length) count('over-limit', found.length - added.length);
      const name = (index: number) => `${record.detections[index]!.category}#${index}`;
      for (const { subject, predicate, object } of added)
        explain?.(`(${name(subject)}, ${predicate}, ${name(object!)}): by the boxes`);
      if (record.relations.length + added.length === 0) count('images-without-relation');
      return { relations: [...record.relations, ...added] };
    },
  });
}

/** Returns what the rules say of the pairs without a relation, the pairs of the largest boxes first. */
function relationsOfBoxes({ image, detections, relations }: ImageRecord & Related): Relation[] {
  const area = ([, , w, h]: Box) => w * h;
  const boxes = detections
    .map(({ box, category }, index) => ({ index, box, category }))
    .filter(({ box }) => area(box) >= MIN_SHARE * image.width * image.height)
    .sort((a, b) => area(b.box) - area(a.box) || a.index - b.index)
    .slice(0, MAX_BOXES)
    .map((one) => ({ ...one, roles: boxRoles(one.category) }))
    .map((one, place, all): RoleBox & { readonly index: number } => ({
      ...one,
      isHeld: all
        .slice(0, place)
        .some(({ box, roles }) => roles.has('person') && intersection(one.box, box) >= 0.5 * area(one.box)),
    }));
  const key = (a: number, b: number) => `${Math.min(a, b)} ${Math.max(a, b)}`;
  const related = new Set(relations.map(({ subject, object }) => key(subject, object ?? subject)));
  const found: { relation: Relation; size: number }[] = [];
  boxes.forEach((larger, place) => {
    for (const smaller of boxes.slice(place + 1)) {
      if (related.has(key(larger.index, smaller.index))) continue;
      // The smaller one is described by its place next to the larger one.
      const said = boxRelation(smaller, larger, image);
      if (!said) continue;
      const { predicate, confidence, isReversed } = said;
      const [subject, object] = isReversed ? [larger.index, smaller.index] : [smaller.index, larger.index];
      const relation: Relation = { subject, object, predicate, confidence, captions: [], source: 'geometry' };
      found.push({ relation, size: area(smaller.box) * area(larger.box) });
    }
  });
  return found.sort((a, b) => b.size - a.size).map(({ relation }) => relation);
}

function bounded(found: readonly Relation[], maxPerImage: number, maxPerBox: number): Relation[] {
  const perBox = new Map<number, number>();
  const added: Relation[] = [];
  for (const relation of found) {
    const ends = [relation.subject, relation.object!];
    if (added.length >= maxPerImage || ends.some((end) => (perBox.get(end) ?? 0) >= maxPerBox)) continue;
    for (const end of ends) increment(perBox, end);
    added.push(relation);
  }
  return added.sort((a, b) => a.subject - b.subject || a.object! - b.object!);
}
