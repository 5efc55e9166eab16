import { type Operator, operator } from '../../operators/operator.js';
import { addToList } from '../../records/add-to-list.js';
import type { ImageRecord } from '../../records/image.js';
import type { Review } from '../../records/review.js';
import type { Related, Relation } from '../../records/scene-graph.js';
import { activeEdits } from './active-edits.js';
import { imageName } from './image-name.js';
import { imageReviews, type ReviewedItem, relationKey } from './image-reviews.js';

/** Options of `applyReviews`. */
export interface ApplyReviewsOptions {
  /** Files of the edits, which are hashed with the other inputs of a run. */
  readonly files: readonly string[];
  /** Drops relations that have no review. Default false. */
  readonly reviewedOnly?: boolean;
}

/** What was applied. */
export interface AppliedReviews {
  /** Edits that no other edit took back. */
  readonly edits: number;
  /** Those whose image did not come. */
  readonly ofOtherImages: () => number;
}

/**
 * Makes an operator that applies what people said: relations that they approved, changed or drew are theirs, without confidence,
 * captions and source, and those that they rejected are dropped. Where people disagree, the last edit holds.
 *
 * Counts: `approved`, `rejected`, `changed`, `added`, `unsure` (kept as it was), `not-reviewed` (kept, or dropped with
 * `reviewedOnly`), `conflict`, `unknown-relation` (edits of relations that the image does not have) and `duplicate` (a relation
 * that a change made equal to another).
 */
export function applyReviews(
  reviews: Iterable<Review>,
  { files, reviewedOnly = false }: ApplyReviewsOptions,
): { readonly operator: Operator<ImageRecord & Partial<Related>, Related>; readonly applied: AppliedReviews } {
  const byImage = new Map<string, Review[]>();
  const all = activeEdits([...reviews]);
  for (const review of all) {
    const name = imageName(review.image);
    addToList(byImage, name, review);
  }
  const seen = new Set<string>();
  const apply = operator<ImageRecord & Partial<Related>, Related>({
    name: 'apply-reviews',
    version: '1',
    options: { reviewedOnly },
    needs: ['image', 'detections'],
    adds: ['relations', 'tagger'],
    lane: 'source',
    files: async () => files,
    apply: ({ image, detections, relations = [], tagger = null }, context) => {
      const name = imageName(image);
      seen.add(name);
      const { items, unknown } = imageReviews(
        { objects: [...detections], relations: [...relations] },
        byImage.get(name) ?? [],
      );
      if (unknown.length > 0) context.count('unknown-relation', unknown.length);
      const byPlace = new Map(items.flatMap((item) => item.places.map((place) => [place, item] as const)));
      const result = new Map<string, Relation>();
      const add = (relation: Relation) => {
        const key = relationKey(relation);
        const other = result.get(key);
        if (other) context.count('duplicate');
        // What people said wins over what a tagger said.
        if (!other || other.confidence !== undefined) result.set(key, relation);
      };
      for (const [place, relation] of relations.entries()) {
        const item = byPlace.get(place);
        const made = item ? madeOf(item, relation) : reviewedOnly ? null : relation;
        context.count(item?.review.state ?? 'not-reviewed');
        if (item?.review.isConflict) context.count('conflict');
        if (made) add(made);
      }
      for (const item of items) {
        if (item.places.length > 0) continue;
        context.count(item.review.state);
        const made = madeOf(item, null);
        if (made) add(made);
      }
      const made = [...result.values()];
      const isOfPeople = made.length > 0 && made.every(({ confidence }) => confidence === undefined);
      return { relations: made, tagger: isOfPeople ? null : tagger };
    },
  });
  const ofOtherImages = () => [...byImage].reduce((sum, [name, edits]) => sum + (seen.has(name) ? 0 : edits.length), 0);
  return { operator: apply, applied: { edits: all.length, ofOtherImages } };
}

/**
 * Returns the relation that people want; null if they want none.
 * @param relation the one of the set; null for one that people drew
 */
function madeOf({ review, relation: named }: ReviewedItem, relation: Relation | null): Relation | null {
  switch (review.state) {
    case 'rejected':
      return null;
    case 'unsure':
      return relation;
    default: {
      const { subject, predicate, object } = review.to ?? named;
      return { subject, object, predicate };
    }
  }
}
