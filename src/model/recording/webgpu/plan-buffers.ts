/** When an array is needed: from the first program that uses it to the last, by index. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Assignment of arrays to buffers. */
export interface BufferPlan {
  /** Sizes of the buffers in bytes. */
  readonly buffers: readonly number[];
  /** Index of the buffer of each array. */
  readonly bufferOf: readonly number[];
}

/**
 * Assigns arrays to as few bytes of buffers as a simple rule finds: from the largest array to the smallest, each takes the
 * smallest buffer that is free during its lifetime. Arrays that one program uses never share a buffer, as WebGPU requires.
 *
 * Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, greedy by size.
 */
export function planBuffers(arrays: readonly Lifetime[]): BufferPlan {
  const buffers: { readonly bytes: number; readonly used: Lifetime[] }[] = [];
  const bufferOf = new Array<number>(arrays.length);
  const order = arrays.map((_, k) => k).sort((a, b) => arrays[b]!.bytes - arrays[a]!.bytes || a - b);
  for (const k of order) {
    const array = arrays[k]!;
    // Buffers are in descending order of size, so the last one that is free fits best.
    let at = buffers.length - 1;
    while (at >= 0 && !isFree(buffers[at]!.used, array)) at--;
    if (at < 0) {
      at = buffers.length;
      buffers.push({ bytes: array.bytes, used: [] });
    }
    const { used } = buffers[at]!;
    used.splice(startOf(used, array.first), 0, array);
    bufferOf[k] = at;
  }
  return { buffers: buffers.map(({ bytes }) => bytes), bufferOf };
}

/** Index of the first lifetime that begins at or after a program; lifetimes are in order and do not overlap. */
function startOf(used: readonly Lifetime[], program: number): number {
  let [low, high] = [0, used.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (used[middle]!.first < program) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isFree(used: readonly Lifetime[], { first, last }: Lifetime): boolean {
  const next = startOf(used, first);
  return (next === used.length || used[next]!.first > last) && (next === 0 || used[next - 1]!.last < first);
}
