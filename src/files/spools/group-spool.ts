import { join } from 'node:path';
import { appendSpoolBlocks, readSpoolFrames, readSpoolStart } from './spool-file.js';
import { TemporaryFolder } from './temporary-folder.js';

/** Options of a `GroupSpool`. */
export interface GroupSpoolOptions {
  /** The folder in which it creates its temporary folder when memory is full. */
  readonly tempDir: string;
  /** The memory limit in bytes. Default 16 MiB. */
  readonly memoryBytes?: number;
  /** The maximum number of bytes of a group that is returned; the rest is cut off. Default 64 MiB. */
  readonly maxGroupBytes?: number;
}

/** All payloads of one group, in the order in which they were added. Valid until the next group is requested. */
export interface Group {
  readonly number: number;
  readonly view: DataView;
  /** The offset of each payload in `view`; `payloadLength` returns its length. */
  readonly starts: Uint32Array;
  /** True if the group is longer than `maxGroupBytes` and only its beginning is returned. */
  readonly cut: boolean;
}

/** A buffer and offset to write a payload to. */
export interface WriteSlot {
  view: DataView;
  at: number;
}

interface Partition {
  /** Blocks that are not yet on disk; all but the last are full. */
  blocks: DataView[];
  /** The number of bytes used in the last block. */
  used: number;
  bytes: number;
  onDisk: boolean;
}

/** The size in bytes of the header of a payload: its group number and its length, 4 bytes each. */
const header = 8;
const groupsPerPartition = 4096;
const fanOut = 16;

/** Returns the length in bytes of the payload that starts at `start`. */
export function spoolPayloadLength(view: DataView, start: number): number {
  return view.getUint32(start - 4, true);
}

/**
 * Sorts payloads by group number with bounded memory (an external sort): payloads are added in any order and returned
 * group by group in ascending order. Neighboring groups share a partition; when the memory is full, all partitions are
 * appended to their files. A partition that exceeds the memory limit is split again when it is read.
 */
export class GroupSpool {
  readonly #options: GroupSpoolOptions;
  readonly #memoryBytes: number;
  readonly #blockBytes: number;
  readonly #width: number;
  readonly #base: number;
  readonly #partitions: (Partition | undefined)[] = [];
  readonly #free: DataView[] = [];
  readonly #slot: WriteSlot = { view: new DataView(new ArrayBuffer(0)), at: 0 };
  #held = 0;
  #loaded = new Uint8Array(0);
  #folder: TemporaryFolder | null = null;

  /**
   * @param width number of groups per partition
   * @param base the lowest group number
   */
  constructor(options: GroupSpoolOptions, width = groupsPerPartition, base = 0) {
    this.#options = options;
    this.#memoryBytes = options.memoryBytes ?? 16 * 1024 * 1024;
    this.#blockBytes = Math.max(64, Math.min(16 * 1024, this.#memoryBytes >> 4));
    this.#width = width;
    this.#base = base;
  }

  /** Reserves space for the next payload of a group; write the payload before the next call, which reuses the slot. */
  reserve(group: number, length: number): WriteSlot {
    const index = Math.floor((group - this.#base) / this.#width);
    const needed = header + length;
    this.#partitions[index] ??= { blocks: [], used: 0, bytes: 0, onDisk: false };
    const partition = this.#partitions[index];
    let block = partition.blocks.at(-1);
    if (!block || partition.used + needed > block.byteLength) {
      block = this.#nextBlock(partition, needed);
    }
    const { used } = partition;
    block.setUint32(used, group, true);
    block.setUint32(used + 4, length, true);
    partition.used += needed;
    partition.bytes += needed;
    this.#slot.view = block;
    this.#slot.at = used + header;
    return this.#slot;
  }

  /** Adds a copy of a payload to a group. */
  append(group: number, payload: Uint8Array): void {
    const { view, at } = this.reserve(group, payload.length);
    new Uint8Array(view.buffer).set(payload, at);
  }

  /**
   * Writes everything to disk if the memory limit is exceeded. Call it between batches.
   * @throws OutputError if writing fails
   */
  async flush(): Promise<void> {
    if (this.#held > this.#memoryBytes) await this.#spill();
  }

  /** Yields the groups that have payloads, in ascending order. Call it once, after all payloads have been added. */
  async *groups(): AsyncGenerator<Group, void, void> {
    if (this.#folder) await this.#spill();
    this.#free.length = 0;
    for (const [index, partition] of this.#partitions.entries()) {
      if (!partition) continue;
      if (partition.onDisk && partition.bytes > this.#memoryBytes && this.#width > 1) {
        yield* this.#split(index);
      } else {
        const limit = this.#width > 1 ? partition.bytes : (this.#options.maxGroupBytes ?? 64 * 1024 * 1024);
        const view = await this.#load(index, partition, Math.min(partition.bytes, limit));
        yield* sortedGroups(view, this.#base + index * this.#width, this.#width, partition.bytes > limit);
      }
      this.#partitions[index] = undefined;
    }
  }

  /** Removes the files on disk. The spool cannot be used afterwards. */
  async close(): Promise<void> {
    this.#partitions.length = this.#free.length = 0;
    await this.#folder?.remove();
    this.#folder = null;
  }

  #nextBlock(partition: Partition, needed: number): DataView {
    const last = partition.blocks.length - 1;
    const full = partition.blocks[last];
    if (full) partition.blocks[last] = new DataView(full.buffer, 0, partition.used);
    const reused = needed <= this.#blockBytes ? this.#free.pop() : undefined;
    const block = reused ?? new DataView(new ArrayBuffer(Math.max(needed, this.#blockBytes)));
    this.#held += block.byteLength;
    partition.blocks.push(block);
    partition.used = 0;
    return block;
  }

  async #spill(): Promise<void> {
    this.#folder ??= await TemporaryFolder.create(this.#options.tempDir);
    for (const [index, partition] of this.#partitions.entries()) {
      if (!partition || partition.blocks.length === 0) continue;
      await appendSpoolBlocks(this.#path(index), filledBlocks(partition));
      partition.onDisk = true;
      for (const { buffer } of partition.blocks) {
        if (buffer.byteLength === this.#blockBytes) this.#free.push(new DataView(buffer));
      }
      partition.blocks = [];
      partition.used = 0;
    }
    this.#held = 0;
  }

  /** Loads the first `length` bytes of a partition into a buffer that is reused for the next partition. */
  async #load(index: number, partition: Partition, length: number): Promise<DataView> {
    if (this.#loaded.length < length) this.#loaded = new Uint8Array(length);
    const bytes = this.#loaded.subarray(0, length);
    if (partition.onDisk) await readSpoolStart(this.#path(index), bytes);
    else {
      let at = 0;
      for (const block of filledBlocks(partition)) {
        bytes.set(block.subarray(0, length - at), at);
        at += Math.min(block.length, length - at);
      }
    }
    return new DataView(bytes.buffer, 0, length);
  }

  async *#split(index: number): AsyncGenerator<Group> {
    const tempDir = this.#folder?.path ?? this.#options.tempDir;
    const width = Math.ceil(this.#width / fanOut);
    const narrower = new GroupSpool({ ...this.#options, tempDir }, width, this.#base + index * this.#width);
    try {
      for await (const { view, length } of readSpoolFrames(this.#path(index), frameBytes)) {
        for (let at = 0; at < length; ) {
          const payload = new Uint8Array(view.buffer, at + header, view.getUint32(at + 4, true));
          narrower.append(view.getUint32(at, true), payload);
          at += header + payload.length;
        }
        await narrower.flush();
      }
      yield* narrower.groups();
    } finally {
      await narrower.close();
    }
  }

  #path(index: number): string {
    return join(this.#folder?.path ?? '', `${index}.spool`);
  }
}

function filledBlocks(partition: Partition): Uint8Array[] {
  const last = partition.blocks.length - 1;
  return partition.blocks.map(
    (block, i) => new Uint8Array(block.buffer, 0, i === last ? partition.used : block.byteLength),
  );
}

function frameBytes(view: DataView, at: number, end: number): number {
  return at + header > end ? Number.POSITIVE_INFINITY : header + view.getUint32(at + 4, true);
}

/** Yields the groups of a partition with a stable counting sort. */
function* sortedGroups(view: DataView, base: number, width: number, cut: boolean): Generator<Group> {
  const ends = new Uint32Array(width + 1);
  const each = (visit: (group: number, start: number) => void) => {
    const end = view.byteLength;
    for (let at = 0, next = frameBytes(view, 0, end); next <= end; at = next, next += frameBytes(view, at, end)) {
      visit(view.getUint32(at, true) - base, at + header);
    }
  };
  each((group) => {
    ends[group + 1]! += 1;
  });
  for (let i = 0; i < width; i++) ends[i + 1]! += ends[i]!;
  const starts = new Uint32Array(ends[width]!);
  const fill = ends.slice();
  each((group, start) => {
    starts[fill[group]!++] = start;
  });
  for (let i = 0; i < width; i++) {
    const from = ends[i]!;
    const to = ends[i + 1]!;
    if (to > from) yield { number: base + i, view, starts: starts.subarray(from, to), cut };
  }
}
