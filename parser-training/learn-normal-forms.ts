import { verbLemma } from '../src/parser/language/lemma.js';
import { NormalForms } from '../src/parser/neural/normal-forms.js';
import type { FactualGraph } from '../src/records/factual-graph.js';
import { type Alignment, alignCaption } from './align-caption.js';

/** A caption's words and its gold graph. */
export interface GoldTokens {
  readonly tokens: readonly string[];
  readonly gold: FactualGraph;
}

/**
 * Aligns captions with their graphs in several passes, each of which learns synonyms for the next: if graphs have `bicycle` and
 * the unaligned words of their captions are often `bike`, then `bike` may mean `bicycle`.
 */
export function alignAll(captions: readonly GoldTokens[], passes = 3): Alignment[] {
  const known = { entities: new Map<string, Set<string>>(), attributes: new Map<string, Set<string>>() };
  let alignments: Alignment[] = [];
  for (let pass = 0; pass < passes; pass++) {
    alignments = captions.map(({ tokens, gold }) => alignCaption(tokens, gold, known));
    addOtherWords(known.entities, alignments, ({ missing }) => missing.entities);
    addOtherWords(known.attributes, alignments, ({ missing }) => missing.attributes.map(({ attribute }) => attribute));
  }
  return alignments;
}

/** A phrase may mean a name if it occurs this often where the name is missing, and in this share of its occurrences. */
const minCount = 2;
const minShare = 0.3;

const functionWords = new Set(
  'a an the of on in with is are and , . at to by from for has have this that there'.split(' '),
);

function addOtherWords(
  known: Map<string, Set<string>>,
  alignments: readonly Alignment[],
  missing: (alignment: Alignment) => readonly string[],
): void {
  const seen = new Counts();
  const cooccurrences = new Map<string, Counts>();
  for (const alignment of alignments) {
    const { tokens } = alignment;
    for (const text of spans(tokens, () => true)) seen.add(text);
    const names = missing(alignment);
    if (names.length === 0) continue;
    const predicateWords = new Set(alignment.relations.flatMap(({ predicate }) => predicate.split(' ')));
    const taken = [...alignment.mentions, ...alignment.attributes];
    const isFree = (k: number) =>
      !functionWords.has(tokens[k]!) &&
      !tokens[k]!.endsWith('ing') &&
      !predicateWords.has(verbLemma(tokens[k]!)) &&
      !taken.some(({ start, end }) => start <= k && k < end);
    for (const text of spans(tokens, isFree)) {
      const counts = cooccurrences.get(text) ?? new Counts();
      cooccurrences.set(text, counts);
      for (const name of names) counts.add(name);
    }
  }
  for (const [text, counts] of cooccurrences)
    for (const [name, count] of counts)
      if (count >= minCount && count > minShare * seen.of(text)) {
        const names = known.get(text) ?? new Set();
        known.set(text, names.add(name));
      }
}

/** Yields the texts of one and two tokens that are all free. */
function* spans(tokens: readonly string[], isFree: (k: number) => boolean): Generator<string> {
  for (let k = 0; k < tokens.length; k++) {
    if (!isFree(k)) continue;
    yield tokens[k]!;
    if (k + 1 < tokens.length && isFree(k + 1)) yield `${tokens[k]} ${tokens[k + 1]}`;
  }
}

/** Learns the most frequent form that graphs have for each phrase, if it differs from the phrase. */
export function learnNormalForms(alignments: readonly Alignment[]): NormalForms {
  const entities = new Map<string, Counts>();
  const attributes = new Map<string, Counts>();
  const count = (of: Map<string, Counts>, text: string, form: string) => {
    const counts = of.get(text) ?? new Counts();
    of.set(text, counts);
    counts.add(form);
  };
  for (const { tokens, mentions, attributes: values } of alignments) {
    const textOf = (span: { start: number; end: number }) => tokens.slice(span.start, span.end).join(' ');
    for (const mention of mentions) count(entities, textOf(mention), mention.name ?? noName);
    for (const attribute of values) count(attributes, textOf(attribute), attribute.value);
  }
  const commonest = (of: ReadonlyMap<string, Counts>) =>
    [...of]
      .map(([text, counts]): [string, string] => [text, counts.commonest(text)])
      .filter(([text, form]) => text !== form);
  return new NormalForms(
    new Map(commonest(entities).map(([text, form]) => [text, form === noName ? null : form])),
    new Map(commonest(attributes)),
  );
}

/** Stands for the name of a mention that refers to another one. */
const noName = '\0';

class Counts implements Iterable<[string, number]> {
  readonly #counts = new Map<string, number>();

  add(text: string): void {
    this.#counts.set(text, this.of(text) + 1);
  }

  of(text: string): number {
    return this.#counts.get(text) ?? 0;
  }

  /** @param preferred wins a tie */
  commonest(preferred: string): string {
    let best = preferred;
    for (const [text, count] of this.#counts) if (count > this.of(best)) best = text;
    return best;
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    return this.#counts[Symbol.iterator]();
  }
}
