import type { Sharding } from '../records/run-state.js';

/**
 * Division of a run's input into shards of the same number of consecutive records. It does not hold for a run whose
 * shards also end at a size in bytes.
 */
export class ShardLayout {
  /** Records of the input in each shard but the last. */
  readonly records: number;

  constructor({ records }: Pick<Sharding, 'records'>) {
    this.records = records;
  }

  /** Number of the shard that holds the record at a position of the input. */
  shardOf(ordinal: number): number {
    return Math.floor(ordinal / this.records);
  }

  /** Position of a shard's first record in the input. */
  first(shard: number): number {
    return shard * this.records;
  }

  /** Number of shards of an input of that many records. */
  count(records: number): number {
    return Math.ceil(records / this.records);
  }

  /** Numbers of all shards of an input of that many records, ascending. */
  shards(records: number): number[] {
    return Array.from({ length: this.count(records) }, (_, shard) => shard);
  }
}
