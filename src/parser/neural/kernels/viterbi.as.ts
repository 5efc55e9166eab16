// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

const tagCount: i32 = 5;
/** Bytes of a row of tag scores. */
const scoreRow: usize = 32;

/** A phrase goes on only where one of its kind has begun: `mayFollow` of tag-sequence.ts. */
// @ts-ignore: decorator
@inline
function mayFollow(before: i32, tag: i32): bool {
  return tag == 2 ? before == 1 || before == 2 : tag == 4 ? before == 3 || before == 4 : true;
}

/**
 * The likeliest tag sequences of a caption, the best first: Viterbi's algorithm with several ways kept at each tag.
 * @param scores `[length, 8]`, of which 5 count; transitions `[8, 8]`; starts `[8]`
 * @param count how many are wanted; reach how much less likely than the best they may be, in nats
 * @param work scratch of 45 bytes for each token and way
 * @param tags `[count, length]` bytes, totals `[count]` 64-bit floats: set to the sequences and their scores
 * @returns how many there are
 */
export function likeliestTags(
  scores: usize,
  transitions: usize,
  starts: usize,
  length: i32,
  count: i32,
  reach: f64,
  work: usize,
  tags: usize,
  totals: usize,
): i32 {
  /** Ways at a token: `[tags, count]`, the best of each tag first. */
  const ways = tagCount * count;
  const row = (<usize>ways) << 3;
  /** Which way of the token before each goes on: `[length, tags, count]` bytes. */
  const back = work + <usize>length * row;
  for (let k: usize = 0; k < <usize>length * row; k += 8) store<f64>(work + k, -Infinity);
  for (let tag = 0; tag < tagCount; tag++)
    if (tag != 2 && tag != 4)
      store<f64>(
        work + ((<usize>(tag * count)) << 3),
        <f64>load<f32>(starts + ((<usize>tag) << 2)) + <f64>load<f32>(scores + ((<usize>tag) << 2)),
      );
  for (let t = 1; t < length; t++) {
    const from = work + <usize>(t - 1) * row;
    const own = scores + <usize>t * scoreRow;
    for (let tag = 0; tag < tagCount; tag++) {
      const to = from + row + ((<usize>(tag * count)) << 3);
      const last = to + ((<usize>(count - 1)) << 3);
      const backTo = back + <usize>(t * ways + tag * count);
      const said = <f64>load<f32>(own + ((<usize>tag) << 2));
      for (let before = 0; before < tagCount; before++) {
        if (!mayFollow(before, tag)) continue;
        const more = <f64>load<f32>(transitions + ((<usize>((before << 3) + tag)) << 2)) + said;
        for (let way = 0; way < count; way++) {
          const score = load<f64>(from + ((<usize>(before * count + way)) << 3)) + more;
          if (!(score > load<f64>(last))) break;
          // Among the best of the tag, after its equals.
          let at = count - 1;
          for (; at > 0 && load<f64>(to + ((<usize>(at - 1)) << 3)) < score; at--) {
            store<f64>(to + ((<usize>at) << 3), load<f64>(to + ((<usize>(at - 1)) << 3)));
            store<u8>(backTo + <usize>at, load<u8>(backTo + <usize>(at - 1)));
          }
          store<f64>(to + ((<usize>at) << 3), score);
          store<u8>(backTo + <usize>at, <u8>(before * count + way));
        }
      }
    }
  }
  const ends = work + <usize>(length - 1) * row;
  let found = 0;
  let least: f64 = 0;
  for (; found < count; found++) {
    let best = 0;
    for (let way = 1; way < ways; way++)
      if (load<f64>(ends + ((<usize>way) << 3)) > load<f64>(ends + ((<usize>best) << 3))) best = way;
    const score = load<f64>(ends + ((<usize>best) << 3));
    if (found == 0) least = score - reach;
    else if (!(score >= least) || score == -Infinity) break;
    store<f64>(ends + ((<usize>best) << 3), -Infinity);
    store<f64>(totals + ((<usize>found) << 3), score);
    const to = tags + <usize>(found * length);
    for (let t = length - 1, way = best; t >= 0; t--) {
      store<u8>(to + <usize>t, <u8>(way / count));
      way = <i32>load<u8>(back + <usize>(t * ways + way));
    }
  }
  return found;
}
