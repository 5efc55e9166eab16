// AssemblyScript, not TypeScript: part of parser-kernels.as.ts.

const tagCount: i32 = 5;
/** Bytes of a row of tag scores. */
const scoreRow: usize = 32;

/** Whether a tag may follow another: see `tagMayFollow` in tag-sequence.ts. */
// @ts-ignore: decorator
@inline
function mayFollow(before: i32, tag: i32): bool {
  return tag == 2 ? before == 1 || before == 2 : tag == 4 ? before == 3 || before == 4 : true;
}

/**
 * N-best Viterbi decoding of a linear-chain CRF, best sequence first: every tag of a word keeps its `count` best paths.
 * @param scores `[length, 8]` f32 with 5 used columns; transitions `[8, 8]` f32, from row to column; starts `[8]` f32
 * @param count most sequences to find
 * @param margin how far a sequence's score may be below the best one's, in nats
 * @param scratch 45 bytes per word and path
 * @param tags `[count, length]` u8, totals `[count]` f64: set to the sequences and their scores
 * @returns the number of sequences found
 */
export function viterbi(
  scores: usize,
  transitions: usize,
  starts: usize,
  length: i32,
  count: i32,
  margin: f64,
  scratch: usize,
  tags: usize,
  totals: usize,
): i32 {
  // A word's paths are `[tags, count]`, the best of each tag first.
  const paths = tagCount * count;
  const row = (<usize>paths) << 3;
  // `[length, tags, count]` u8: the path of the word before that each path extends.
  const back = scratch + <usize>length * row;
  for (let k: usize = 0; k < <usize>length * row; k += 8) store<f64>(scratch + k, -Infinity);
  for (let tag = 0; tag < tagCount; tag++)
    if (tag != 2 && tag != 4)
      store<f64>(
        scratch + ((<usize>(tag * count)) << 3),
        <f64>load<f32>(starts + ((<usize>tag) << 2)) + <f64>load<f32>(scores + ((<usize>tag) << 2)),
      );
  for (let t = 1; t < length; t++) {
    const from = scratch + <usize>(t - 1) * row;
    const own = scores + <usize>t * scoreRow;
    for (let tag = 0; tag < tagCount; tag++) {
      const to = from + row + ((<usize>(tag * count)) << 3);
      const last = to + ((<usize>(count - 1)) << 3);
      const backTo = back + <usize>(t * paths + tag * count);
      const emission = <f64>load<f32>(own + ((<usize>tag) << 2));
      for (let before = 0; before < tagCount; before++) {
        if (!mayFollow(before, tag)) continue;
        const more = <f64>load<f32>(transitions + ((<usize>((before << 3) + tag)) << 2)) + emission;
        for (let path = 0; path < count; path++) {
          const score = load<f64>(from + ((<usize>(before * count + path)) << 3)) + more;
          if (!(score > load<f64>(last))) break;
          // Insertion keeps the paths sorted; equal scores stay in their order.
          let at = count - 1;
          for (; at > 0 && load<f64>(to + ((<usize>(at - 1)) << 3)) < score; at--) {
            store<f64>(to + ((<usize>at) << 3), load<f64>(to + ((<usize>(at - 1)) << 3)));
            store<u8>(backTo + <usize>at, load<u8>(backTo + <usize>(at - 1)));
          }
          store<f64>(to + ((<usize>at) << 3), score);
          store<u8>(backTo + <usize>at, <u8>(before * count + path));
        }
      }
    }
  }
  const ends = scratch + <usize>(length - 1) * row;
  let found = 0;
  let least: f64 = 0;
  for (; found < count; found++) {
    let best = 0;
    for (let path = 1; path < paths; path++)
      if (load<f64>(ends + ((<usize>path) << 3)) > load<f64>(ends + ((<usize>best) << 3))) best = path;
    const score = load<f64>(ends + ((<usize>best) << 3));
    if (found == 0) least = score - margin;
    else if (!(score >= least) || score == -Infinity) break;
    store<f64>(ends + ((<usize>best) << 3), -Infinity);
    store<f64>(totals + ((<usize>found) << 3), score);
    const to = tags + <usize>(found * length);
    for (let t = length - 1, path = best; t >= 0; t--) {
      store<u8>(to + <usize>t, <u8>(path / count));
      path = <i32>load<u8>(back + <usize>(t * paths + path));
    }
  }
  return found;
}
