import type { ImageRecord } from '../records/image.js';
import { increment } from '../records/increment.js';
import type { RelationTagger } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';

/** Weight of the predicate's overall frequency, in pairs of the two categories. */
const PRIOR_WEIGHT = 1;

/**
 * Estimates how often a predicate holds between two categories from counted images, without pixels or boxes. A learned tagger
 * must score higher than this prior to show that it uses the image.
 *
 *     P(p | s, o) = (n(s, p, o) + P(p)) / (n(s, o) + 1), n(s, o) over all ordered pairs of distinct objects
 *
 * Source: Zellers et al., "Neural Motifs", 2018, the frequency baseline.
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphLines } from 'relflow';
 * import { FrequencyPrior } from 'relflow/evaluation';
 *
 * const prior = new FrequencyPrior();
 * const records = new Graph('train').from(sceneGraphLines({ sceneGraphs: 'train.jsonl' })).records();
 * for await (const record of records) prior.add(record);
 * console.log(prior.probability('person', 'riding', 'horse'));
 * ```
 */
export class FrequencyPrior {
  readonly #pairs = new Map<string, number>();
  readonly #relations = new Map<string, number>();
  readonly #predicates = new Map<string, number>();
  #all = 0;

  /** Counts the pairs and relations of one image; a duplicate relation counts once. */
  add({ detections, relations }: Pick<ImageRecord & Related, 'detections' | 'relations'>): void {
    const counts = new Map<string, number>();
    for (const { category } of detections) increment(counts, category);
    for (const [s, many] of counts)
      for (const [o, others] of counts) {
        const pairs = many * (s === o ? others - 1 : others);
        if (pairs === 0) continue;
        increment(this.#pairs, key(s, o), pairs);
        this.#all += pairs;
      }
    const seen = new Set<string>();
    for (const { subject, object, predicate } of relations) {
      const once = `${subject} ${object} ${predicate}`;
      if (object === null || subject === object || seen.has(once)) continue;
      seen.add(once);
      const [s, o] = [detections[subject]!.category, detections[object]!.category];
      increment(this.#relations, key(s, o, predicate));
      increment(this.#predicates, predicate);
    }
  }

  /** Returns the probability, in [0, 1], that the predicate holds between objects of the two categories. */
  probability(subject: string, predicate: string, object: string): number {
    const overall = (this.#predicates.get(predicate) ?? 0) / Math.max(1, this.#all);
    const held = this.#relations.get(key(subject, object, predicate)) ?? 0;
    const pairs = this.#pairs.get(key(subject, object)) ?? 0;
    return (held + PRIOR_WEIGHT * overall) / (pairs + PRIOR_WEIGHT);
  }

  /** Returns the prior as a tagger, e.g. to evaluate it. */
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
