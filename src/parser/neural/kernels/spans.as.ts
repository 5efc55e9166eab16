// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

import { Span, Spans } from './structs.as';

export function clearSpans(spans: Spans): void {
  spans.count = 0;
}

/** Finds the spans of one tagging. @param begin tag of a span's first word; its other words have the next tag */
export function findSpans(spans: Spans, tags: usize, rows: i32, tagging: i32, begin: u8): void {
  const indices = spans.indices + ((<usize>(tagging * rows)) << 2);
  let count = 0;
  for (let start = 0; start < rows; start++) {
    if (load<u8>(tags + <usize>start) != begin) continue;
    let end = start + 1;
    while (end < rows && load<u8>(tags + <usize>end) == begin + 1) end++;
    store<i32>(indices + ((<usize>count) << 2), addSpan(spans, start, end, tagging > 0));
    count++;
  }
  store<i32>(spans.counts + ((<usize>tagging) << 2), count);
}

/** @param maybeKnown whether an earlier tagging may have the span @returns its index */
function addSpan(spans: Spans, start: i32, end: i32, maybeKnown: bool): i32 {
  const last = spans.bounds + (<usize>spans.count) * offsetof<Span>();
  if (maybeKnown)
    for (let at = spans.bounds; at < last; at += offsetof<Span>()) {
      const span = changetype<Span>(at);
      if (span.start == start && span.end == end) return <i32>((at - spans.bounds) / offsetof<Span>());
    }
  const span = changetype<Span>(last);
  span.start = start;
  span.end = end;
  return spans.count++;
}

/** Returns the number of spans of a tagging. */
// @ts-ignore: decorator
@inline
export function countOf(spans: Spans, tagging: i32): i32 {
  return load<i32>(spans.counts + ((<usize>tagging) << 2));
}

/** Returns the index of the n-th span of a tagging. */
// @ts-ignore: decorator
@inline
export function indexOf(spans: Spans, rows: i32, tagging: i32, n: i32): i32 {
  return load<i32>(spans.indices + ((<usize>(tagging * rows + n)) << 2));
}

// @ts-ignore: decorator
@inline
export function startOf(spans: Spans, index: i32): i32 {
  return changetype<Span>(spans.bounds + (<usize>index) * offsetof<Span>()).start;
}

// @ts-ignore: decorator
@inline
export function endOf(spans: Spans, index: i32): i32 {
  return changetype<Span>(spans.bounds + (<usize>index) * offsetof<Span>()).end;
}

/**
 * Each span's state: the forward half of its last word's state and the backward half of its first word's.
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
