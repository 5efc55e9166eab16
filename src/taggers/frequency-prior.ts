import type { ImageRecord } from '../records/image.js';
import type { RelationTagger } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';

/** How much the predicate's frequency over all pairs counts beside what was seen of a pair of categories: as one pair. */
const PRIOR_WEIGHT = 1;

/**
 * A tagger that looks at neither pixels nor boxes: how often a predicate held between two categories in what it has
 * seen. What a learned tagger has to beat to have learnt anything of images.
 *
 *     P(p | s, o) = (n(s, p, o) + P(p)) / (n(s, o) + 1), n(s, o) over all ordered pairs of distinct objects
 *
 * Source: Zellers et al., "Neural Motifs", 2018, the frequency baseline.
 */
export class FrequencyPrior {
  readonly #pairs = new Map<string, number>();
  readonly #relations = new Map<string, number>();
  readonly #predicates = new Map<string, number>();
  #all = 0;

  /** Counts one image. */
  add({ detections, relations }: Pick<ImageRecord & Related, 'detections' | 'relations'>): void {
    const counts = new Map<string, number>();
    for (const { category } of detections) add(counts, category, 1);
    for (const [s, many] of counts)
      for (const [o, others] of counts) {
        const pairs = many * (s === o ? others - 1 : others);
        if (pairs === 0) continue;
        add(this.#pairs, key(s, o), pairs);
        this.#all += pairs;
      }
    const seen = new Set<string>();
    for (const { subject, object, predicate } of relations) {
      const once = `${subject} ${object} ${predicate}`;
      if (subject === object || seen.has(once)) continue;
      seen.add(once);
      const [s, o] = [detections[subject]!.category, detections[object]!.category];
      add(this.#relations, key(s, o, predicate), 1);
      add(this.#predicates, predicate, 1);
    }
  }

  /** In [0, 1]. */
  probability(subject: string, predicate: string, object: string): number {
    const overall = (this.#predicates.get(predicate) ?? 0) / Math.max(1, this.#all);
    const held = this.#relations.get(key(subject, object, predicate)) ?? 0;
    const pairs = this.#pairs.get(key(subject, object)) ?? 0;
    return (held + PRIOR_WEIGHT * overall) / (pairs + PRIOR_WEIGHT);
  }

  /** As a tagger, to be evaluated as any other. */
  tagger(): RelationTagger {
    return {
      name: 'frequency-prior',
      version: '1',
      baseline: true,
      tag: ({ detections, pairs, texts }) => {
        const scores = new Float32Array(pairs.length * texts.length);
        for (const [row, { subject, object }] of pairs.entries()) {
          const [s, o] = [detections[subject]!.category, detections[object]!.category];
          for (const [column, text] of texts.entries())
            scores[row * texts.length + column] = this.probability(s, text, o);
        }
        return scores;
      },
    };
  }
}

const key = (...parts: readonly string[]): string => parts.join('\u0000');
const add = (counts: Map<string, number>, name: string, by: number) => counts.set(name, (counts.get(name) ?? 0) + by);
