import type { ImageRecord } from '../../records/image.js';
import { increment } from '../../records/increment.js';
import type { Reject } from '../../records/reject.js';

/** Maximum number of distinct texts per tally; at this size the texts that were counted once are dropped. */
const MAX_TEXTS = 20_000;

/**
 * What a process sees of a run beyond the counts of its shards: sizes of records, categories, frequent texts, and the first reject of each
 * reason. It feeds the summary of the run. Unlike counts, it is not kept for a resume.
 */
export class RunObservations {
  readonly #tallies = new Map<string, Map<string, number>>();
  readonly #firstRejects = new Map<string, Reject>();
  readonly #written = new Map<string, { records: number; withRelations: number; relations: number }>();
  /** Names of the categories of the records; some may be missing when there are very many. */
  readonly categories = new Set<string>();
  /** The list of categories of the last record, which the records of a file share. */
  #listed: readonly string[] | undefined;
  /** Number of records that sources yielded. */
  records = 0;
  /** Number of detections in them. */
  detections = 0;
  /** Number of records without detections. */
  recordsWithoutDetections = 0;

  /** Adds a record that a source yields. */
  read(record: object): void {
    this.records++;
    const { detections, categories } = record as Partial<ImageRecord> & { readonly categories?: readonly string[] };
    if (categories !== undefined && categories !== this.#listed) {
      this.#listed = categories;
      for (const name of categories) this.categories.add(name);
    }
    if (!Array.isArray(detections)) return;
    // A list of categories includes those of the detections.
    if (categories === undefined && this.categories.size < MAX_TEXTS) {
      for (const { category } of detections) this.categories.add(category);
    }
    this.detections += detections.length;
    if (detections.length === 0) this.recordsWithoutDetections++;
  }

  /** Adds a record that a sink has written. */
  write(sink: string, record: object): void {
    const { relations } = record as { relations?: unknown };
    let written = this.#written.get(sink);
    if (!written) {
      written = { records: 0, withRelations: 0, relations: 0 };
      this.#written.set(sink, written);
    }
    written.records++;
    if (!Array.isArray(relations) || relations.length === 0) return;
    written.withRelations++;
    written.relations += relations.length;
  }

  /** Returns what a sink has written in this process. */
  written(sink: string): { readonly records: number; readonly withRelations: number; readonly relations: number } {
    return this.#written.get(sink) ?? { records: 0, withRelations: 0, relations: 0 };
  }

  /** Counts a text under a name of a stage. Rare texts may be undercounted when there are very many. */
  tally(stage: string, name: string, text: string): void {
    const key = `${stage}\n${name}`;
    let texts = this.#tallies.get(key);
    if (!texts) {
      texts = new Map();
      this.#tallies.set(key, texts);
    }
    increment(texts, text);
    if (texts.size <= MAX_TEXTS) return;
    for (const [rare, count] of texts) if (count === 1) texts.delete(rare);
    if (texts.size > MAX_TEXTS / 2) texts.clear();
  }

  /** Returns the most frequent texts under a name of a stage, equally frequent ones in alphabetical order. */
  mostFrequent(stage: string, name: string, limit: number): { readonly text: string; readonly count: number }[] {
    const texts = this.#tallies.get(`${stage}\n${name}`) ?? new Map<string, number>();
    return [...texts]
      .map(([text, count]) => ({ text, count }))
      .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
      .slice(0, limit);
  }

  /** Adds a reject; the first of each stage and reason is kept. */
  reject(reject: Reject): void {
    const key = `${reject.stage}\n${reject.reason}`;
    if (!this.#firstRejects.has(key)) this.#firstRejects.set(key, reject);
  }

  /** Returns the first reject of a stage for a reason, if this process has seen one. */
  firstReject(stage: string, reason: string): Reject | undefined {
    return this.#firstRejects.get(`${stage}\n${reason}`);
  }
}
