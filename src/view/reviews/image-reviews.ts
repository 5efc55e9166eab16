import { addToList } from '../../records/add-to-list.js';
import type { Detection } from '../../records/image.js';
import type { Review, ReviewedRelation } from '../../records/review.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import type { RelationRef, RelationReview, ReviewState } from '../view-api.js';
import { activeEdits } from './active-edits.js';

/** What people said about a relation of an image, or about one that they drew. */
export interface ReviewedItem {
  /** The relation as in the set, or as it was drawn. */
  readonly relation: RelationRef;
  /** Positions in the set's relations; none if it was drawn. */
  readonly places: readonly number[];
  readonly review: RelationReview;
  /** The last edit, which decides. */
  readonly last: Review;
}

/** What people said about an image. */
export interface ImageReviews {
  readonly items: readonly ReviewedItem[];
  /** Edits of relations and objects that the image does not have. */
  readonly unknown: readonly Review[];
}

const STATES: Readonly<Record<Exclude<Review['what']['action'], 'undo'>, ReviewState>> = {
  approve: 'approved',
  reject: 'rejected',
  unsure: 'unsure',
  change: 'changed',
  add: 'added',
};

/** Returns what people said about the relations of an image, from all edits of it. */
export function imageReviews(
  { objects, relations }: Pick<SceneGraph, 'objects' | 'relations'>,
  edits: readonly Review[],
): ImageReviews {
  const places = new Map<string, number[]>();
  for (const [place, relation] of relations.entries()) {
    addToList(places, relationKey(relation), place);
  }
  const unknown: Review[] = [];
  const byRelation = new Map<string, { relation: RelationRef; edits: Review[] }>();
  for (const edit of activeEdits(edits)) {
    const relation = findRelation(objects, edit.relation);
    const isKnown =
      relation !== null && (edit.what.action !== 'change' || findRelation(objects, edit.what.to) !== null);
    if (!isKnown) {
      unknown.push(edit);
      continue;
    }
    const key = relationKey(relation);
    const found = byRelation.get(key);
    if (found) found.edits.push(edit);
    else byRelation.set(key, { relation, edits: [edit] });
  }
  const items: ReviewedItem[] = [];
  for (const [key, { relation, edits: own }] of byRelation) {
    const found = places.get(key) ?? [];
    const isDrawn = found.length === 0;
    if (isDrawn && !own.some(({ what }) => what.action === 'add')) {
      unknown.push(...own);
      continue;
    }
    const last = own.at(-1) as Review;
    items.push({ relation, places: found, review: reviewOf(objects, own, last, isDrawn), last });
  }
  return { items, unknown };
}

function reviewOf(
  objects: readonly Detection[],
  edits: readonly Review[],
  last: Review,
  isDrawn: boolean,
): RelationReview {
  const action = last.what.action as keyof typeof STATES;
  const state = isDrawn && action === 'approve' ? 'added' : !isDrawn && action === 'add' ? 'approved' : STATES[action];
  const to = last.what.action === 'change' ? findRelation(objects, last.what.to) : null;
  const lastOf = new Map<string, string>();
  for (const { who, what } of edits) if (what.action !== 'unsure') lastOf.set(who, outcomeOf(what));
  return {
    state,
    ...(to && { to }),
    who: last.who,
    when: last.when,
    edit: last.id,
    ...(new Set(lastOf.values()).size > 1 && { isConflict: true }),
  };
}

/** What an edit wants, to compare people's. */
function outcomeOf(what: Review['what']): string {
  if (what.action === 'change') return JSON.stringify([what.to.subject, what.to.predicate, what.to.object]);
  return what.action === 'add' ? 'approve' : what.action;
}

/** Names a relation among those of its image. */
export const relationKey = ({ subject, predicate, object }: RelationRef): string =>
  JSON.stringify([subject, predicate, object]);

/** Returns a relation by the places of its objects; null if the image does not have them. */
function findRelation(
  objects: readonly Detection[],
  { subject, predicate, object }: ReviewedRelation,
): RelationRef | null {
  const found = findObject(objects, subject);
  const other = object === null ? null : findObject(objects, object);
  return found === -1 || other === -1 ? null : { subject: found, predicate, object: other };
}

/** An object keeps its id when others are added or left out, and its place when ids are made anew. */
function findObject(objects: readonly Detection[], { place, id }: ReviewedRelation['subject']): number {
  if (objects[place]?.id === id) return place;
  const found = objects.flatMap((object, index) => (object.id === id ? [index] : []));
  return found.length === 1 ? (found[0] as number) : -1;
}

/** Names a relation of an image as edits do. */
export function reviewedRelation(
  objects: readonly Detection[],
  { subject, predicate, object }: RelationRef,
): ReviewedRelation {
  const refOf = (place: number) => ({ place, id: (objects[place] as Detection).id });
  return { subject: refOf(subject), predicate, object: object === null ? null : refOf(object) };
}
