import type { Id } from '../../records/image.js';
import { increment } from '../../records/increment.js';
import type { ExportOptions } from './export-options.js';
import type { SplitGraph } from './split-graph.js';

/** What the scene graphs of an export contain. */
export interface ExportContents {
  /** Images by split; the split is '' if the set is not split. */
  readonly images: ReadonlyMap<string, number>;
  readonly objects: number;
  readonly relations: number;
  readonly captions: number;
  /** Names of the categories in the order of their ids, and the number of objects of each. */
  readonly categories: ReadonlyMap<string, number>;
  /** Names of the predicates in the order of their ids, and the number of relations of each. */
  readonly predicates: ReadonlyMap<string, number>;
  /** Number of images of each data set. */
  readonly datasets: ReadonlyMap<string, number>;
  /** Number of images of each tagger, `people` for relations that people annotated. */
  readonly taggers: ReadonlyMap<string, number>;
  /** Whether the ids of images are whole numbers from 0, each once. */
  readonly hasNumericImageIds: boolean;
  /** Whether the ids of objects are whole numbers from 0, each once in the whole set. */
  readonly hasNumericObjectIds: boolean;
}

/** Counts what scene graphs contain. Memory grows with the number of names and, slowly, of ids. */
export class ContentsCounter {
  readonly #options: Pick<ExportOptions, 'categories' | 'predicates'>;
  readonly #images = new Map<string, number>();
  readonly #categories = new Map<string, number>();
  readonly #predicates = new Map<string, number>();
  readonly #datasets = new Map<string, number>();
  readonly #taggers = new Map<string, number>();
  readonly #imageIds = new UniqueNumbers();
  readonly #objectIds = new UniqueNumbers();
  readonly #totals = { objects: 0, relations: 0, captions: 0 };

  /** @param options lists of names, if the export has them */
  constructor(options: Pick<ExportOptions, 'categories' | 'predicates'>) {
    this.#options = options;
  }

  add({ graph, split }: SplitGraph): void {
    const { image, objects, relations, captions, provenance } = graph;
    increment(this.#images, split ?? '');
    increment(this.#datasets, image.dataset);
    increment(this.#taggers, provenance.tagger?.name ?? 'people');
    this.#imageIds.add(image.id);
    this.#totals.objects += objects.length;
    this.#totals.relations += relations.length;
    this.#totals.captions += captions.length;
    for (const { category, id } of objects) {
      increment(this.#categories, category);
      this.#objectIds.add(id);
    }
    for (const { predicate } of relations) increment(this.#predicates, predicate);
  }

  /** Returns what the graphs so far contain. */
  contents(): ExportContents {
    return {
      images: this.#images,
      ...this.#totals,
      categories: inOrder(this.#categories, this.#options.categories),
      predicates: inOrder(this.#predicates, this.#options.predicates),
      datasets: this.#datasets,
      taggers: this.#taggers,
      hasNumericImageIds: this.#imageIds.areUnique,
      hasNumericObjectIds: this.#objectIds.areUnique,
    };
  }
}

function inOrder(counts: ReadonlyMap<string, number>, listed: readonly string[] | undefined): Map<string, number> {
  const names = listed ?? [...counts.keys()].sort((a, b) => (a < b ? -1 : 1));
  return new Map(names.map((name) => [name, counts.get(name) ?? 0]));
}

/** Numbers of a page of the set below, and the maximum number of pages: 2^32 numbers, if they come in few pages. */
const PAGE_BITS = 16;
const MAX_PAGES = 4096;

/** Finds out whether ids are whole numbers from 0, each once, in at most 32 MiB. */
class UniqueNumbers {
  #pages: Map<string, Uint32Array> | null = new Map();

  /** False as soon as an id is not a whole number, is repeated, or is too far from the others to be remembered. */
  get areUnique(): boolean {
    return this.#pages !== null;
  }

  add(id: Id): void {
    if (!this.#pages) return;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0) {
      this.#pages = null;
      return;
    }
    const number = Math.floor(id / 2 ** PAGE_BITS);
    const key = String(number);
    let page = this.#pages.get(key);
    if (!page) {
      if (this.#pages.size >= MAX_PAGES) {
        this.#pages = null;
        return;
      }
      page = new Uint32Array(2 ** PAGE_BITS / 32);
      this.#pages.set(key, page);
    }
    const bit = id - number * 2 ** PAGE_BITS;
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    if (((page[word] ?? 0) & mask) !== 0) this.#pages = null;
    else page[word] = (page[word] ?? 0) | mask;
  }
}
