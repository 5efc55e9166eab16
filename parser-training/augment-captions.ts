import type { Random } from '../src/records/random.js';
import type { TrainingExample } from './training-example.js';

/** Probabilities that a part of a caption is replaced, or an attribute dropped. */
const probabilities = { mention: 0.5, attribute: 0.4, verb: 0.3, preposition: 0.2, dropped: 0.08 };
/** Probability that the replacement is similar in meaning; otherwise it is any phrase of its kind. */
const similarProbability = 0.7;
const maxNeighbors = 16;
/** Rarer phrases are not neighbors of others, as most are misspelled. */
const minCount = 2;

type Kind = 'mention' | 'attribute' | 'verb' | 'preposition';

interface Part {
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
}

/**
 * Generates captions: training captions whose phrases, verbs and prepositions are replaced by those of others. Labeled by a
 * teacher, they show a student how the teacher treats words that seldom occur together.
 *
 * Source: Tang et al., "Distilling Task-Specific Knowledge from BERT into Simple Neural Networks", 2019, section 3.2.
 */
export class CaptionAugmenter {
  readonly #examples: readonly TrainingExample[];
  readonly #random: Random;
  readonly #pools: ReadonlyMap<string, Pool>;

  /** @param vectors unit vectors of words */
  constructor(examples: readonly TrainingExample[], vectors: ReadonlyMap<string, Float32Array>, random: Random) {
    this.#examples = examples;
    this.#random = random;
    const pools = new Map<string, Pool>();
    for (const example of examples)
      for (const part of partsOf(example)) {
        const text = example.words.slice(part.start, part.end).join(' ');
        const name = poolName(part.kind, text);
        const pool = pools.get(name) ?? new Pool(vectors);
        pools.set(name, pool);
        pool.add(text);
      }
    this.#pools = pools;
  }

  /** Returns the words of a new caption. */
  next(): string[] {
    const random = this.#random;
    const example = this.#examples[Math.floor(random.next() * this.#examples.length)]!;
    const words: string[] = [];
    let at = 0;
    for (const { start, end, kind } of partsOf(example)) {
      if (start < at) continue;
      words.push(...example.words.slice(at, start));
      at = end;
      if (kind === 'attribute' && random.next() < probabilities.dropped) continue;
      const text = example.words.slice(start, end).join(' ');
      const isReplaced = random.next() < probabilities[kind];
      words.push(...(isReplaced ? this.#pools.get(poolName(kind, text))!.draw(text, random) : text).split(' '));
    }
    words.push(...example.words.slice(at));
    return words;
  }
}

/** Returns the replaceable parts of a caption in reading order; of overlapping parts, the first one is used. */
function partsOf({ words, mentions, attributes, verbs, prepositions }: TrainingExample): Part[] {
  const parts: Part[] = [
    ...mentions.map((span) => ({ ...span, kind: 'mention' as const })),
    ...attributes.map((span) => ({ ...span, kind: 'attribute' as const })),
  ];
  const isFree = (t: number) => !parts.some(({ start, end }) => start <= t && t < end);
  const single = (kind: Kind) => (t: number) => ({ start: t, end: t + 1, kind });
  const freeVerbs = verbs.filter((t) => isFree(t) && !prepositions.includes(t));
  const freePrepositions = prepositions.filter(isFree);
  return [...parts, ...freeVerbs.map(single('verb')), ...freePrepositions.map(single('preposition'))]
    .sort((a, b) => a.start - b.start)
    .filter(({ end }) => end <= words.length);
}

/** Returns the name of the pool that replaces a part; verbs are replaced by verbs of the same form. */
function poolName(kind: Kind, text: string): string {
  if (kind !== 'verb') return kind;
  const form = /(?:ing|ed|s)$/.exec(text);
  return `verb ${form?.[0] ?? ''}`;
}

/** Texts that may replace each other. */
class Pool {
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  readonly #counts = new Map<string, number>();
  /** Each text as often as it was added. */
  readonly #texts: string[] = [];
  readonly #neighbors = new Map<string, readonly string[]>();
  #common: readonly (readonly [string, Float32Array])[] | undefined;

  constructor(vectors: ReadonlyMap<string, Float32Array>) {
    this.#vectors = vectors;
  }

  add(text: string): void {
    this.#texts.push(text);
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }

  draw(text: string, random: Random): string {
    const near = random.next() < similarProbability ? this.#neighborsOf(text) : [];
    const from = near.length > 0 ? near : this.#texts;
    return from[Math.floor(random.next() * from.length)]!;
  }

  #neighborsOf(text: string): readonly string[] {
    const known = this.#neighbors.get(text);
    if (known) return known;
    this.#common ??= [...this.#counts]
      .filter(([, count]) => count >= minCount)
      .flatMap(([other]) => {
        const vector = this.#vectorOf(other);
        return vector ? [[other, vector] as const] : [];
      });
    const own = this.#vectorOf(text);
    const near = own ? nearest(text, own, this.#common) : [];
    this.#neighbors.set(text, near);
    return near;
  }

  /** Returns the normalized mean of a text's word vectors. */
  #vectorOf(text: string): Float32Array | undefined {
    const vectors = text.split(' ').flatMap((word) => this.#vectors.get(word) ?? []);
    if (vectors.length === 0) return undefined;
    const sum = new Float32Array(vectors[0]!.length);
    for (const vector of vectors) for (let k = 0; k < sum.length; k++) sum[k]! += vector[k]!;
    const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0)) || 1;
    return sum.map((value) => value / norm);
  }
}

/** Returns the texts with the most similar vectors. */
function nearest(text: string, own: Float32Array, others: readonly (readonly [string, Float32Array])[]): string[] {
  const best: { text: string; score: number }[] = [];
  for (const [other, vector] of others) {
    if (other === text) continue;
    let score = 0;
    for (let k = 0; k < own.length; k++) score += own[k]! * vector[k]!;
    if (best.length === maxNeighbors && score <= best.at(-1)!.score) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.score < score) at--;
    best.splice(at, 0, { text: other, score });
    if (best.length > maxNeighbors) best.pop();
  }
  return best.map(({ text: near }) => near);
}
