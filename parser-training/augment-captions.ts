import type { Random } from '../src/records/random.js';
import type { TrainingExample } from './training-example.js';

/** How often parts of a caption give way to others. */
const shares = { mention: 0.5, attribute: 0.4, verb: 0.3, preposition: 0.2, dropped: 0.08 };
/** How often a phrase gives way to one that means something alike; to any other else. */
const alike = 0.7;
const neighbours = 16;
/** Phrases that are rarer are no others' neighbours, as most are misspelt. */
const leastCount = 2;

type Kind = 'mention' | 'attribute' | 'verb' | 'preposition';

interface Part {
  readonly start: number;
  readonly end: number;
  readonly kind: Kind;
}

/**
 * Captions that nobody wrote: those of training with phrases, verbs and prepositions of others in place of their own. A
 * teacher says what they mean, and a student that learns from them learns what the teacher does with words that seldom meet.
 * Source: Tang et al., "Distilling Task-Specific Knowledge from BERT into Simple Neural Networks", 2019, section 3.2.
 */
export class CaptionAugmenter {
  readonly #examples: readonly TrainingExample[];
  readonly #random: Random;
  readonly #pools: ReadonlyMap<string, Pool>;

  /** @param vectors of words, of length 1 */
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

  /** @returns the words of a caption like one of the examples */
  next(): string[] {
    const random = this.#random;
    const example = this.#examples[Math.floor(random.next() * this.#examples.length)]!;
    const words: string[] = [];
    let at = 0;
    for (const { start, end, kind } of partsOf(example)) {
      if (start < at) continue;
      words.push(...example.words.slice(at, start));
      at = end;
      if (kind === 'attribute' && random.next() < shares.dropped) continue;
      const text = example.words.slice(start, end).join(' ');
      const isVaried = random.next() < shares[kind];
      words.push(...(isVaried ? this.#pools.get(poolName(kind, text))!.draw(text, random) : text).split(' '));
    }
    words.push(...example.words.slice(at));
    return words;
  }
}

/** In the order of the caption; where they overlap the first one counts. */
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

/** Verbs stand for others in the same form. */
function poolName(kind: Kind, text: string): string {
  if (kind !== 'verb') return kind;
  const form = /(?:ing|ed|s)$/.exec(text);
  return `verb ${form?.[0] ?? ''}`;
}

/** Texts that may stand in the same places. */
class Pool {
  readonly #vectors: ReadonlyMap<string, Float32Array>;
  readonly #counts = new Map<string, number>();
  /** Every text as often as it was added. */
  readonly #texts: string[] = [];
  readonly #neighbours = new Map<string, readonly string[]>();
  #common: readonly (readonly [string, Float32Array])[] | undefined;

  constructor(vectors: ReadonlyMap<string, Float32Array>) {
    this.#vectors = vectors;
  }

  add(text: string): void {
    this.#texts.push(text);
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
  }

  draw(text: string, random: Random): string {
    const near = random.next() < alike ? this.#near(text) : [];
    const from = near.length > 0 ? near : this.#texts;
    return from[Math.floor(random.next() * from.length)]!;
  }

  #near(text: string): readonly string[] {
    const known = this.#neighbours.get(text);
    if (known) return known;
    this.#common ??= [...this.#counts]
      .filter(([, count]) => count >= leastCount)
      .flatMap(([other]) => {
        const vector = this.#meaning(other);
        return vector ? [[other, vector] as const] : [];
      });
    const own = this.#meaning(text);
    const near = own ? nearest(text, own, this.#common) : [];
    this.#neighbours.set(text, near);
    return near;
  }

  /** The mean of its words' vectors. */
  #meaning(text: string): Float32Array | undefined {
    const vectors = text.split(' ').flatMap((word) => this.#vectors.get(word) ?? []);
    if (vectors.length === 0) return undefined;
    const sum = new Float32Array(vectors[0]!.length);
    for (const vector of vectors) for (let k = 0; k < sum.length; k++) sum[k]! += vector[k]!;
    const norm = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0)) || 1;
    return sum.map((value) => value / norm);
  }
}

function nearest(text: string, own: Float32Array, others: readonly (readonly [string, Float32Array])[]): string[] {
  const best: { text: string; score: number }[] = [];
  for (const [other, vector] of others) {
    if (other === text) continue;
    let score = 0;
    for (let k = 0; k < own.length; k++) score += own[k]! * vector[k]!;
    if (best.length === neighbours && score <= best.at(-1)!.score) continue;
    let at = best.length;
    while (at > 0 && best[at - 1]!.score < score) at--;
    best.splice(at, 0, { text: other, score });
    if (best.length > neighbours) best.pop();
  }
  return best.map(({ text: near }) => near);
}
