import { isFactualQuantity } from '../../records/factual-graph.js';
import type { Entity, TextGraph, TextRelation } from '../../records/text-graph.js';
import { captionEntity } from '../language/caption-entity.js';
import { nounLemma } from '../language/lemma.js';
import { statedRelation } from '../language/stated-relation.js';
import type { Token } from '../language/tokenize.js';
import type { CaptionReading, TokenSpan } from './caption-reader.js';
import type { NormalForms } from './normal-forms.js';

/** Converts a reading of a caption to a graph whose entities have offsets in the caption. */
export function assembleGraph(
  caption: string,
  tokens: readonly Token[],
  { words, mentions, attributes, relations }: CaptionReading,
  forms: NormalForms,
): TextGraph {
  const attributesOf = mentions.map((): AttributeText[] => []);
  for (const attribute of attributes) {
    const text = textOf(words, attribute);
    for (const owner of attribute.mentions) attributesOf[owner]!.push({ text, lemma: forms.attribute(text) });
  }
  // Mention → entity; null for `each other`, which stands for the other end of its relation.
  const entityOf: (number | null)[] = [];
  const entities: Entity[] = [];
  mentions.forEach((mention, index) => {
    const name = forms.entity(textOf(words, mention));
    entityOf.push(name === null ? null : entities.length);
    if (name !== null) entities.push(entity(caption, tokens, words, mention, name, attributesOf[index]!));
  });
  const surfaces = tokens.map(({ text }) => text);
  const inPhrase = new Uint8Array(tokens.length);
  for (const { start, end } of mentions) inPhrase.fill(1, start, end);
  for (const { start, end } of attributes) inPhrase.fill(1, start, end);
  const textRelations: TextRelation[] = [];
  for (const { subject, object, predicate, confidence } of relations) {
    const ends = [entityOf[subject] ?? entityOf[object], entityOf[object] ?? entityOf[subject]];
    if (typeof ends[0] !== 'number' || typeof ends[1] !== 'number') continue;
    const isForward = subject < object;
    const [first, second] = isForward ? [subject, object] : [object, subject];
    const stated = statedRelation(ends[0], ends[1], {
      words: surfaces,
      isPhrase: (index) => inPhrase[index] === 1,
      first: mentions[first]!,
      second: mentions[second]!,
      isForward,
      predicate,
      confidence: Math.round(confidence * 1e4) / 1e4,
    });
    textRelations.push(stated);
  }
  return { entities, relations: textRelations };
}

type AttributeText = Entity['attributes'][number];

function entity(
  caption: string,
  tokens: readonly Token[],
  words: readonly string[],
  mention: TokenSpan,
  name: string,
  attributes: AttributeText[],
): Entity {
  const last = mention.end - 1;
  const [start, end] = [tokens[mention.start]!.start, tokens[last]!.end];
  const quantity = attributes.find(({ lemma }) => isFactualQuantity(lemma));
  return captionEntity(caption, {
    start,
    end,
    head: tokens[last]!.text,
    lemma: nounLemma(words[last]!),
    name,
    attributes: quantity ? attributes.filter((attribute) => attribute !== quantity) : attributes,
    quantity: quantity?.text,
  });
}

const textOf = (words: readonly string[], { start, end }: TokenSpan) =>
  end === start + 1 ? words[start]! : words.slice(start, end).join(' ');
