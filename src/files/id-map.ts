import type { Id } from '../records/image.js';

/**
 * A Map by ids from files. A plain Map of numbers is slow if a file chooses its numbers so that their hashes collide: V8
 * seeds the hashes of strings only. 7 and '7' are different ids.
 */
export class IdMap<V> {
  readonly #values = new Map<string, V>();
  /** The values of small whole numbers, which most ids of categories are: an array is faster than their text keys. */
  readonly #small: (V | undefined)[] = [];

  get size(): number {
    return this.#values.size;
  }

  get(id: Id | null): V | undefined {
    return isSmall(id) ? this.#small[id] : this.#values.get(keyOf(id));
  }

  has(id: Id | null): boolean {
    return this.#values.has(keyOf(id));
  }

  set(id: Id | null, value: V): void {
    this.#values.set(keyOf(id), value);
    if (isSmall(id)) this.#small[id] = value;
  }

  values(): IterableIterator<V> {
    return this.#values.values();
  }
}

/** A Set of ids from files, see `IdMap`. */
export class IdSet {
  readonly #ids = new Set<string>();

  add(id: Id | null): void {
    this.#ids.add(keyOf(id));
  }

  has(id: Id | null): boolean {
    return this.#ids.has(keyOf(id));
  }
}

function isSmall(id: Id | null): id is number {
  return typeof id === 'number' && id >= 0 && id < 1024 && Number.isInteger(id);
}

function keyOf(id: Id | null): string {
  return typeof id === 'number' ? `#${id}` : id === null ? '' : `'${id}`;
}
