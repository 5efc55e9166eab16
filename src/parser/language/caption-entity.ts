import type { Entity } from '../../records/text-graph.js';

/** What is known of an entity of a caption. */
interface EntityParts {
  readonly start: number;
  readonly end: number;
  readonly head: string;
  readonly lemma: string;
  /** The normalized phrase, in lower case. */
  readonly name: string;
  readonly attributes: Entity['attributes'];
  readonly quantity: string | undefined;
}

/** Returns the entity of a caption; it has a name only if that differs from its span. */
export function captionEntity(caption: string, parts: EntityParts): Entity {
  const { start, end, head, lemma, name, attributes, quantity } = parts;
  const span = caption.slice(start, end);
  const entity: Entity =
    name === span || name === span.toLowerCase()
      ? { span, start, end, head, lemma, attributes }
      : { span, start, end, head, lemma, name, attributes };
  if (quantity !== undefined) entity.quantity = quantity;
  return entity;
}
