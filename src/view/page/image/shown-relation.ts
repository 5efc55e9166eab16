import type { ImageObject, ImageRelation, RelationRef } from '../../view-api.js';
import type { SceneRelation } from '../drawing/scene.js';

/** A relation of the image view. */
export interface ShownRelation {
  /** `r` and its index for a relation, `c` and its index for a candidate. */
  readonly key: string;
  /** Index into the image's relations; -1 for a candidate. */
  readonly index: number;
  readonly relation: RelationRef & { readonly captions: readonly number[] };
}

const LOOKS = {
  unreviewed: 'plain',
  approved: 'approved',
  rejected: 'rejected',
  changed: 'changed',
  added: 'added',
  unsure: 'unsure',
} as const;

/** Returns what a relation is after its corrections. */
export const currentRef = ({ review: { to }, subject, predicate, object }: ImageRelation): RelationRef =>
  to ?? { subject, predicate, object };

/** Returns the relations as a scene draws them, after their corrections. */
export const sceneRelations = (relations: readonly ImageRelation[]): readonly SceneRelation[] =>
  relations.map((relation, index) => ({
    ...currentRef(relation),
    key: `r${index}`,
    look: LOOKS[relation.review.state],
  }));

/** Returns a relation as words with the numbers of its boxes: `0 person riding 3 horse`. */
export function relationText(objects: readonly ImageObject[], { subject, predicate, object }: RelationRef): string {
  const name = (index: number) => `${index} ${objects[index]?.category ?? '?'}`;
  return object === null ? `${name(subject)} ${predicate}` : `${name(subject)} ${predicate} ${name(object)}`;
}
