// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { Spans } from './structs.as';

export function clearSpans(spans: Spans): void {
  spans.count = 0;
}

/** Finds the spans of one tagging. @param begin tag of a first word; the tag after it is that of the others */
export function findSpans(spans: Spans, tags: usize, rows: i32, tagging: i32, begin: u8): void {
  const places = spans.places + ((<usize>(tagging * rows)) << 2);
  let count = 0;
  for (let start = 0; start < rows; start++) {
    if (load<u8>(tags + <usize>start) != begin) continue;
    let end = start + 1;
    while (end < rows && load<u8>(tags + <usize>end) == begin + 1) end++;
    store<i32>(places + ((<usize>count) << 2), addSpan(spans, start, end, tagging > 0));
    count++;
  }
  store<i32>(spans.counts + ((<usize>tagging) << 2), count);
}

/** @param isSought whether an earlier tagging may have it @returns its place among the spans */
function addSpan(spans: Spans, start: i32, end: i32, isSought: bool): i32 {
  const last = spans.bounds + ((<usize>spans.count) << 3);
  if (isSought)
    for (let at = spans.bounds; at < last; at += 8)
      if (load<i32>(at) == start && load<i32>(at, 4) == end) return <i32>((at - spans.bounds) >> 3);
  store<i32>(last, start);
  store<i32>(last, end, 4);
  return spans.count++;
}

// @ts-ignore: decorator
@inline
export function countOf(spans: Spans, tagging: i32): i32 {
  return load<i32>(spans.counts + ((<usize>tagging) << 2));
}

/** Which of the spans the n-th of a tagging is. */
// @ts-ignore: decorator
@inline
export function placeOf(spans: Spans, rows: i32, tagging: i32, n: i32): i32 {
  return load<i32>(spans.places + ((<usize>(tagging * rows + n)) << 2));
}

// @ts-ignore: decorator
@inline
export function startOf(spans: Spans, place: i32): i32 {
  return load<i32>(spans.bounds + ((<usize>place) << 3));
}

// @ts-ignore: decorator
@inline
export function endOf(spans: Spans, place: i32): i32 {
  return load<i32>(spans.bounds + ((<usize>place) << 3), 4);
}

/**
 * What a span is told of: from before, up to its last word, and from behind, up to its first.
 * @param states `[rows, hidden]`; to `[spans, hidden]`
 */
export function spanStates(spans: Spans, states: usize, hidden: i32, to: usize): void {
  const half = (<usize>hidden) << 1;
  for (let n = 0; n < spans.count; n++) {
    memory.copy(to, states + <usize>(endOf(spans, n) - 1) * 2 * half, half);
    memory.copy(to + half, states + <usize>startOf(spans, n) * 2 * half + half, half);
    to += 2 * half;
  }
}
