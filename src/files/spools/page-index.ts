import { GrowingArray } from './growing-array.js';

const buckets = 256;
const hashBits = 24;
/** The number of pages that fit into the bits of a 53-bit integer that the hash leaves free. */
const maxPages = 2 ** (53 - hashBits);

/**
 * Maps hashes to the pages that may contain them, in 8 bytes per entry. Add all entries in ascending order of page,
 * call `seal`, then look up.
 */
export class PageIndex {
  /** Entries by the highest bits of the hash. Each is one number: the other bits of the hash, followed by the page. */
  readonly #adding = Array.from({ length: buckets }, () => new GrowingArray((length) => new Float64Array(length)));
  #sorted: Float64Array[] = [];

  /** @param hash an unsigned 32-bit integer */
  add(hash: number, page: number): void {
    if (page >= maxPages) throw new Error(`more than ${maxPages} pages`);
    const bucket = this.#adding[hash >>> hashBits]!;
    const entry = entryOf(hash, page);
    if (bucket.length === 0 || bucket.at(bucket.length - 1) !== entry) bucket.push(entry);
  }

  /** Sorts the entries, so that they can be looked up. */
  seal(): void {
    for (let bucket = this.#adding.shift(); bucket; bucket = this.#adding.shift()) {
      this.#sorted.push(bucket.toTypedArray().sort());
    }
  }

  /** Yields the pages that were added with the hash, in ascending order. */
  *pagesOf(hash: number): Generator<number, void> {
    const entries = this.#sorted[hash >>> hashBits]!;
    const [from, to] = [entryOf(hash, 0), entryOf(hash, maxPages)];
    let last = -1;
    for (let at = lowerBound(entries, from); at < entries.length && entries[at]! < to; at++) {
      const page = entries[at]! - from;
      if (page !== last) yield page;
      last = page;
    }
  }
}

function entryOf(hash: number, page: number): number {
  return (hash & (2 ** hashBits - 1)) * maxPages + page;
}

/** Returns the first index whose value is not below the bound. */
function lowerBound(values: Float64Array, bound: number): number {
  let low = 0;
  for (let high = values.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
