import { isQuantity } from '../../records/factual-graph.js';
import type { Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import { gerund } from '../language/gerund.js';
import { nounLemma } from '../language/lemma.js';
import type { Token } from '../language/tokenize.js';
import type { CaptionReading, TokenSpan } from './caption-reader.js';
import type { NormalForms } from './normal-forms.js';

/** A reading as a graph with offsets in the caption. */
export function assembleGraph(
  caption: string,
  tokens: readonly Token[],
  { words, mentions, attributes, relations }: CaptionReading,
  forms: NormalForms,
): TextGraph {
  const said = mentions.map((): AttributeText[] => []);
  for (const attribute of attributes) {
    const text = textOf(words, attribute);
    for (const owner of attribute.mentions) said[owner]!.push({ text, lemma: forms.attribute(text) });
  }
  /** Mention → entity; null for `each other`, which stands for the other end of its relation. */
  const entityOf: (number | null)[] = [];
  const entities: Entity[] = [];
  mentions.forEach((mention, index) => {
    const name = forms.entity(textOf(words, mention));
    entityOf.push(name === null ? null : entities.length);
    if (name !== null) entities.push(entity(caption, tokens, words, mention, name, said[index]!));
  });
  const related: TextRelation[] = [];
  for (const { subject, object, predicate, verb, confidence } of relations) {
    const ends = [entityOf[subject] ?? entityOf[object], entityOf[object] ?? entityOf[subject]];
    if (typeof ends[0] !== 'number' || typeof ends[1] !== 'number') continue;
    related.push({
      subject: ends[0],
      object: ends[1],
      predicate: surface(predicate, verb < 0 ? undefined : words[verb]!, subject > object),
      lemma: predicate,
      confidence: Math.round(confidence * 1e4) / 1e4,
    });
  }
  return { entities, relations: related };
}

type AttributeText = Entity['attributes'][number];

function entity(
  caption: string,
  tokens: readonly Token[],
  words: readonly string[],
  mention: TokenSpan,
  name: string,
  said: AttributeText[],
): Entity {
  const last = mention.end - 1;
  const [start, end] = [tokens[mention.start]!.start, tokens[last]!.end];
  const span = caption.slice(start, end);
  const quantity = said.find(({ lemma }) => isQuantity(lemma));
  return {
    span,
    start,
    end,
    head: tokens[last]!.text,
    lemma: nounLemma(words[last]!),
    ...(name === span || name === span.toLowerCase() ? {} : { name }),
    attributes: quantity ? said.filter((attribute) => attribute !== quantity) : said,
    ...(quantity ? { quantity: quantity.text } : {}),
  };
}

const textOf = (words: readonly string[], { start, end }: TokenSpan) =>
  end === start + 1 ? words[start]! : words.slice(start, end).join(' ');

/**
 * As a caption says it, with its own form of the verb, or with the form that captions mostly have: a field "covered by snow"
 * has snow `covering` it.
 * @param isReversed whether the subject stands behind the object, where a participle is passive
 */
function surface(predicate: string, verb: string | undefined, isReversed: boolean): string {
  const blank = predicate.indexOf(' ');
  const end = blank < 0 ? predicate.length : blank;
  const isSaid = verb !== undefined && (!isReversed || verb.endsWith('ing'));
  return (isSaid ? verb : gerund(predicate.slice(0, end))) + predicate.slice(end);
}
