import { type FactualGraph, isFactualQuantity } from '../../records/factual-graph.js';
import type { Entity, TextGraph } from '../../records/text-graph.js';
import { gerund } from '../language/gerund.js';
import { nounLemma, verbLemma } from '../language/lemma.js';
import { type Token, tokenize } from '../language/tokenize.js';

/**
 * Converts a FACTUAL graph, which consists of words alone, to the graph of a caption. Entities with the same name become one.
 * The span of an entity is the first place where the caption has the lemmas of its name. If the caption does not have them,
 * the span is the name, and `start` and `end` are 0 and the span's length. FACTUAL's predicates are lemmas; the result has the
 * form that captions use, such as `riding`.
 */
export function fromFactual(caption: string, { relations, attributes, entities: alone }: FactualGraph): TextGraph {
  const words = tokenize(caption, caption.length).flat();
  const said = attributes.map(({ entity }) => entity);
  const names = [...new Set([...relations.flatMap(({ subject, object }) => [subject, object]), ...said, ...alone])];
  const entities = names.map((name): Entity => {
    const own = attributes.filter(({ entity }) => entity === name).map(({ attribute }) => attribute);
    const quantity = own.find(isFactualQuantity);
    return {
      ...spanOf(name, caption, words),
      ...(quantity !== undefined && { quantity: quantity.replace(/ of$/, '') }),
      attributes: own.filter((attribute) => attribute !== quantity).map((text) => ({ text, lemma: text })),
    };
  });
  return {
    entities,
    relations: relations.map(({ subject, predicate, object }) => ({
      subject: names.indexOf(subject),
      object: names.indexOf(object),
      predicate: surfaceForm(predicate, words),
      lemma: predicate,
    })),
  };
}

function spanOf(name: string, caption: string, words: readonly Token[]): Omit<Entity, 'attributes'> {
  const parts = name.split(' ');
  const found = words.findIndex((_, at) =>
    parts.every((part, k) => {
      const word = words[at + k]?.text;
      return word !== undefined && (word === part || nounLemma(word) === nounLemma(part));
    }),
  );
  if (found === -1) {
    return { span: name, start: 0, end: name.length, head: parts.at(-1)!, lemma: nounLemma(parts.at(-1)!) };
  }
  const { start } = words[found]!;
  const last = words[found + parts.length - 1]!;
  const span = caption.slice(start, last.end);
  return {
    span,
    start,
    end: last.end,
    head: last.text,
    lemma: nounLemma(last.text),
    ...(span.toLowerCase() !== name && { name }),
  };
}

/** Returns the predicate with its verb as the caption writes it if that is a gerund, or else with the verb's gerund. */
function surfaceForm(predicate: string, words: readonly Token[]): string {
  const [first, ...rest] = predicate.split(' ');
  const said = words.find(({ text }) => text.endsWith('ing') && verbLemma(text) === first);
  return [said?.text ?? gerund(first!), ...rest].join(' ');
}
