import { isWithinDistance, maxTypos } from '../src/parser/language/edit-distance.js';
import { nounLemma, verbLemma } from '../src/parser/language/lemma.js';
import { digitsOf } from '../src/parser/language/number-words.js';
import type { FactualAttribute, FactualGraph, FactualRelation } from '../src/records/factual-graph.js';
import type { AlignedAttribute, AlignedCaption, AlignedRelation, Mention, Span } from './aligned-caption.js';

/** An aligned caption and the parts of its gold graph that no words were found for. */
export interface Alignment extends AlignedCaption {
  readonly missing: {
    readonly entities: readonly string[];
    readonly attributes: readonly FactualAttribute[];
    readonly relations: readonly FactualRelation[];
  };
}

/** Phrase → forms that graphs have for it: `bike` → `bicycle`. */
export interface KnownForms {
  readonly entities: ReadonlyMap<string, ReadonlySet<string>>;
  readonly attributes: ReadonlyMap<string, ReadonlySet<string>>;
}

const noForms: KnownForms = { entities: new Map(), attributes: new Map() };

/** Finds the words of a caption for each part of its gold graph. */
export function alignCaption(tokens: readonly string[], gold: FactualGraph, known: KnownForms = noForms): Alignment {
  const { mentions, missing: entities } = alignEntities(tokens, gold, known);
  const relations: AlignedRelation[] = [];
  const missingRelations: FactualRelation[] = [];
  for (const relation of gold.relations) {
    const aligned = alignRelation(tokens, mentions, relation, relations);
    if (aligned) relations.push(aligned);
    else missingRelations.push(relation);
  }
  const { attributes, missing } = alignAttributes(tokens, gold.attributes, mentions, known);
  return {
    tokens,
    mentions,
    attributes,
    relations,
    missing: { entities, attributes: missing, relations: missingRelations },
  };
}

interface Match extends Span {
  /** Certainty: 10 for the same words. */
  readonly score: number;
}

const lemmas = (words: readonly string[]) => words.map(nounLemma).join(' ');
const withoutSpaces = (text: string) => text.replace(/[\s-]/g, '');

/** Finds the spans that may name an entity, best first. */
function entityMatches(tokens: readonly string[], name: string, known: KnownForms): Match[] {
  const words = name.split(' ');
  const lemma = lemmas(words);
  const score = (span: readonly string[]): number => {
    const text = span.join(' ');
    if (text === name) return 10;
    const spanLemma = lemmas(span);
    if (spanLemma === lemma) return 9;
    if (
      [text, spanLemma].some(
        (form) => withoutSpaces(form) === withoutSpaces(name) || withoutSpaces(form) === withoutSpaces(lemma),
      )
    )
      return 8;
    // Between `two guys` and `guys` for `people`, the shorter one leaves more words for attributes.
    if (known.entities.get(text)?.has(name)) return 7 - 0.1 * span.length;
    if (span.length === words.length && text[0] === name[0] && isTypo(text, name)) return 5;
    return 0;
  };
  return matches(tokens, Math.max(words.length + 2, 3), score);
}

function attributeMatches(tokens: readonly string[], value: string, known: KnownForms): Match[] {
  const words = value.split(' ');
  const score = (span: readonly string[]): number => {
    const text = span.join(' ');
    if (text === value) return 10;
    if (digitsOf(text) === value) return 9.5;
    if (withoutSpaces(text) === withoutSpaces(value)) return 9;
    if (lemmas(span) === lemmas(words)) return 8;
    if (known.attributes.get(text)?.has(value)) return 7 - 0.1 * span.length;
    if (span.length === 1 && words.length === 1) {
      if (verbLemma(text) === verbLemma(value) && verbLemma(text).length > 2) return 6;
      if (Math.min(text.length, value.length) >= 4 && (text.startsWith(value) || value.startsWith(text))) return 5.5;
    }
    return span.length === words.length && isTypo(text, value) ? 5 : 0;
  };
  return matches(tokens, words.length + 2, score);
}

const isTypo = (text: string, name: string) => {
  const [a, b] = [withoutSpaces(text), withoutSpaces(name)];
  return Math.max(a.length, b.length) > 4 && b.length >= 4 && isWithinDistance(a, b, maxTypos(b.length));
};

function matches(tokens: readonly string[], longest: number, score: (span: readonly string[]) => number): Match[] {
  const found: Match[] = [];
  for (let start = 0; start < tokens.length; start++)
    for (let end = start + 1; end <= Math.min(tokens.length, start + longest); end++) {
      const match = { start, end, score: score(tokens.slice(start, end)) };
      if (match.score > 0) found.push(match);
    }
  return found.sort((a, b) => b.score - a.score || a.start - b.start);
}

/** The tokens that are part of a phrase already. */
class UsedTokens {
  readonly #tokens = new Set<number>();
  isFree({ start, end }: Span): boolean {
    for (let k = start; k < end; k++) if (this.#tokens.has(k)) return false;
    return true;
  }
  take({ start, end }: Span): void {
    for (let k = start; k < end; k++) this.#tokens.add(k);
  }
}

/** Finds all mentions of each entity, of which the graph has one node. Longer names choose first. */
function alignEntities(tokens: readonly string[], gold: FactualGraph, known: KnownForms) {
  const names = new Set([
    ...gold.entities,
    ...gold.attributes.map(({ entity }) => entity),
    ...gold.relations.flatMap(({ subject, object }) => [subject, object]),
  ]);
  const words = (name: string) => name.split(' ').length;
  const longestFirst = [...names].sort((a, b) => words(b) - words(a) || b.length - a.length);
  const taken = new UsedTokens();
  const mentions: Mention[] = [];
  const missing: string[] = [];
  for (const name of longestFirst) {
    const found = entityMatches(tokens, name, known);
    const best = found[0]?.score ?? 0;
    const before = mentions.length;
    for (const { start, end, score } of found) {
      // More mentions must be nearly as certain as the first one.
      if (score < best - 2.5 || (mentions.length > before && score < 8) || !taken.isFree({ start, end })) continue;
      taken.take({ start, end });
      mentions.push({ start, end, name });
    }
    if (mentions.length === before) missing.push(name);
  }
  for (const { subject, object } of gold.relations) {
    if (subject !== object || mentions.filter(({ name }) => name === subject).length !== 1) continue;
    const span = findReciprocal(tokens, taken);
    if (span) {
      taken.take(span);
      mentions.push({ ...span, name: null });
    }
  }
  return { mentions: mentions.sort((a, b) => a.start - b.start), missing };
}

const reciprocals = ['each other', 'one another', 'another one', 'the other one', 'the other', 'other one'].map(
  (text) => text.split(' '),
);
reciprocals.push(['eachother'], ['together'], ['another'], ['one']);

/** Finds a phrase that refers to the subject, as in "dogs facing each other". */
function findReciprocal(tokens: readonly string[], taken: UsedTokens): Span | undefined {
  for (const words of reciprocals)
    for (let start = words.length === 1 ? 1 : 0; start + words.length <= tokens.length; start++) {
      const span = { start, end: start + words.length };
      if (words.every((word, k) => tokens[start + k] === word) && taken.isFree(span)) return span;
    }
  return undefined;
}

/** Chooses the two mentions of a relation: the nearest ones that have the predicate's words between them. */
function alignRelation(
  tokens: readonly string[],
  mentions: readonly Mention[],
  { subject, predicate, object }: FactualRelation,
  aligned: readonly AlignedRelation[],
): AlignedRelation | undefined {
  const words = predicate.split(' ');
  let best: AlignedRelation | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  const isNamed = (mention: Mention, name: string, other: string) =>
    mention.name === name || (mention.name === null && name === other);
  mentions.forEach((a, i) => {
    mentions.forEach((b, j) => {
      if (i === j || !isNamed(a, subject, object) || !isNamed(b, object, subject)) return;
      const [low, high] = [Math.min(a.end, b.end), Math.max(a.start, b.start)];
      const between = new Set(tokens.slice(low, high).flatMap((token) => [token, verbLemma(token)]));
      const matched = words.filter((word) => between.has(word)).length;
      const isUsed = aligned.some(({ subject: s, object: o }) => (s === i && o === j) || (s === j && o === i));
      const score = 1.5 * matched - Math.abs(i - j) - 0.05 * (high - low) + (i < j ? 0.1 : 0) - (isUsed ? 1 : 0);
      if (score <= bestScore) return;
      best = { subject: i, object: j, predicate };
      bestScore = score;
    });
  });
  return best;
}

function alignAttributes(
  tokens: readonly string[],
  gold: readonly FactualAttribute[],
  mentions: readonly Mention[],
  known: KnownForms,
) {
  const free = new UsedTokens();
  for (const mention of mentions) free.take(mention);
  const found: (Span & { value: string; mentions: number[] })[] = [];
  const missing: FactualAttribute[] = [];
  for (const fact of [...gold].sort((a, b) => b.attribute.length - a.attribute.length)) {
    const value = fact.attribute;
    let best: { span: Span; mention: number; shared: (typeof found)[number] | undefined } | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const { start, end, score } of attributeMatches(tokens, value, known)) {
      if (!free.isFree({ start, end })) continue;
      const shared = found.find((other) => other.start < end && start < other.end);
      if (shared && (shared.start !== start || shared.end !== end || shared.value !== value)) continue;
      mentions.forEach((mention, index) => {
        if (mention.name !== fact.entity || shared?.mentions.includes(index)) return;
        const distance = start < mention.start ? mention.start - end : start - mention.end + 0.5;
        if (score - 0.8 * distance <= bestScore) return;
        best = { span: { start, end }, mention: index, shared };
        bestScore = score - 0.8 * distance;
      });
    }
    if (!best) missing.push(fact);
    else if (best.shared) best.shared.mentions.push(best.mention);
    else found.push({ ...best.span, value, mentions: [best.mention] });
  }
  const attributes: AlignedAttribute[] = found
    .map((attribute) => ({ ...attribute, mentions: attribute.mentions.sort((a, b) => a - b) }))
    .sort((a, b) => a.start - b.start);
  return { attributes, missing };
}
