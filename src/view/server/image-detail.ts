import type { SceneGraph } from '../../records/scene-graph.js';
import { relationSource } from '../../sinks/relation-expression.js';
import type { ImageDetail, ImageKey, ImageObject, ImageRelation, RelationReview } from '../view-api.js';
import { candidateWays } from './candidate-ways.js';
import type { ViewRecord } from './view-set.js';

/** What is known of an image besides its record. */
interface DetailOptions {
  readonly threshold: number | null;
  /** The relations with their reviews. */
  readonly relations: readonly ImageRelation[];
  readonly pictureProblem: string | undefined;
}

/** Describes an image for the page. */
export function imageDetail(
  key: ImageKey,
  { graph, candidates }: ViewRecord,
  { threshold, relations, pictureProblem }: DetailOptions,
): Omit<ImageDetail, 'previous' | 'next'> {
  const { image, captions, provenance } = graph;
  return {
    key,
    id: String(image.id),
    file: image.file,
    dataset: image.dataset,
    split: image.split,
    width: image.width,
    height: image.height,
    objects: graph.objects.map(
      ({ id, category, box, score = null }): ImageObject => ({ id: String(id), category, box, score }),
    ),
    captions,
    relations,
    candidates: candidates === null ? [] : candidateWays(graph, candidates, threshold),
    tagger: provenance.tagger && { name: provenance.tagger.name, version: provenance.tagger.version },
    stages: provenance.operators.map(({ name, version }) => ({ name, version })),
    ...(pictureProblem !== undefined && { pictureProblem }),
  };
}

/** Describes the relations of a record, without those that people drew. */
export function relationsOf(
  { relations }: Pick<SceneGraph, 'relations'>,
  reviewOf: (place: number) => RelationReview,
  matching: ReadonlySet<number> | null,
): ImageRelation[] {
  return relations.map((relation, place) => ({
    subject: relation.subject,
    predicate: relation.predicate,
    object: relation.object,
    confidence: relation.confidence ?? null,
    source: relationSource(relation),
    captions: relation.captions ?? [],
    wordings: (relation.wordings ?? []).map(({ predicate, confidence }) => ({ predicate, confidence })),
    review: reviewOf(place),
    matches: matching?.has(place) ?? true,
  }));
}
