import { GrowingArray } from './growing-array.js';

const buckets = 256;
const hashBits = 24;
/** Of a number of 53 bits the hash leaves so many different pages. */
const maxPages = 2 ** (53 - hashBits);

/**
 * Says in which pages something with a hash may be, in 8 bytes each. First everything is added, by ascending page, then
 * `seal`, then asked for.
 */
export class PageIndex {
  /** By the highest bits of the hash: its other bits, and behind them the page, as one number. */
  readonly #adding = Array.from({ length: buckets }, () => new GrowingArray((length) => new Float64Array(length)));
  #sorted: Float64Array[] = [];

  /** @param hash of 32 bits, without a sign */
  add(hash: number, page: number): void {
    if (page >= maxPages) throw new Error(`more than ${maxPages} pages`);
    const bucket = this.#adding[hash >>> hashBits]!;
    const entry = entryOf(hash, page);
    if (bucket.length === 0 || bucket.at(bucket.length - 1) !== entry) bucket.push(entry);
  }

  seal(): void {
    for (let bucket = this.#adding.shift(); bucket; bucket = this.#adding.shift()) {
      this.#sorted.push(bucket.toTypedArray().sort());
    }
  }

  /** The pages that were added with the hash, ascending. */
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

/** The first index whose value is not below a bound. */
function lowerBound(values: Float64Array, bound: number): number {
  let low = 0;
  for (let high = values.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
