import { isQuantity } from '../../records/factual.js';
import type { Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import { nounLemma } from '../lemma.js';
import type { Token } from '../tokenize.js';
import type { CaptionReading, MentionReading } from './caption-reader.js';
import { gerund } from './gerund.js';
import type { NormalForms } from './normal-forms.js';

/**
 * A reading as a graph with offsets in the caption.
 * @param words the tokens' words, spelling repaired
 */
export function assembleGraph(
  caption: string,
  tokens: readonly Token[],
  words: readonly string[],
  { mentions, attributes, relations }: CaptionReading,
  forms: NormalForms,
): TextGraph {
  const textOf = ({ start, end }: { start: number; end: number }) => words.slice(start, end).join(' ');
  /** Mention → entity; null for `each other`, which stands for the other end of its relation. */
  const entityOf: (number | null)[] = [];
  const entities: Entity[] = [];
  for (const mention of mentions) {
    const name = forms.entity(textOf(mention));
    entityOf.push(name === null ? null : entities.length);
    if (name === null) continue;
    const [start, end] = [tokens[mention.start]!.start, tokens[mention.end - 1]!.end];
    const index = entityOf.length - 1;
    const said = attributes
      .filter(({ mentions: owners }) => owners.includes(index))
      .map((attribute) => ({ text: textOf(attribute), lemma: forms.attribute(textOf(attribute)) }));
    const quantity = said.find(({ lemma }) => isQuantity(lemma));
    const span = caption.slice(start, end);
    entities.push({
      span,
      start,
      end,
      head: tokens[mention.end - 1]!.text,
      lemma: nounLemma(words[mention.end - 1]!),
      ...(name === span.toLowerCase() ? {} : { name }),
      attributes: said.filter((attribute) => attribute !== quantity),
      ...(quantity ? { quantity: quantity.text } : {}),
    });
  }
  return { entities, relations: relations.flatMap((relation) => textRelation(relation, words, entityOf)) };
}

function textRelation(
  { subject, object, predicate, verb, confidence }: MentionReading,
  words: readonly string[],
  entityOf: readonly (number | null)[],
): TextRelation[] {
  const ends = [entityOf[subject] ?? entityOf[object], entityOf[object] ?? entityOf[subject]];
  if (typeof ends[0] !== 'number' || typeof ends[1] !== 'number') return [];
  return [
    {
      subject: ends[0],
      object: ends[1],
      predicate: surface(predicate, verb < 0 ? undefined : words[verb]!, subject > object),
      lemma: predicate,
      confidence: Math.round(confidence * 1e4) / 1e4,
    },
  ];
}

/**
 * As a caption says it, with its own form of the verb, or with the form that captions mostly have: a field "covered by snow"
 * has snow `covering` it.
 * @param isReversed whether the subject stands behind the object, where a participle is passive
 */
function surface(predicate: string, verb: string | undefined, isReversed: boolean): string {
  const [first, ...rest] = predicate.split(' ');
  const isSaid = verb !== undefined && (!isReversed || verb.endsWith('ing'));
  return [isSaid ? verb : gerund(first!), ...rest].join(' ');
}
