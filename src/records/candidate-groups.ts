import type { CandidatePair } from './candidate.js';

/**
 * One group of the official candidate file: pairs `[[subject, object], …]` and the distinct relation texts proposed for
 * them.
 */
export type CandidateGroup = [pairs: [number, number][], texts: string[]];

/**
 * Groups candidate pairs as the official tagger does: each pair is repeated once per relation text, the list is cut
 * into groups of `size`, and each group has the distinct texts of its slice, in order. There are `floor(n / size) + 1`
 * groups, so the last one is empty if n is 0 or a multiple of `size` (quirk B-6, docs/compat.md).
 * Source: RLIPv2, datasets/rlipv2_helper/BLIP_coco_caption_helper.py.
 *
 * @param size pairs per group; the official value is 100, half the number of decoder queries
 */
export function officialGroups(candidates: readonly CandidatePair[], size = 100): CandidateGroup[] {
  const entries = candidates.flatMap(({ subject, object, texts }) =>
    texts.map(({ text }): { pair: [number, number]; text: string } => ({ pair: [subject, object], text })),
  );
  const groups: CandidateGroup[] = [];
  for (let group = 0; group <= Math.floor(entries.length / size); group++) {
    const slice = entries.slice(group * size, (group + 1) * size);
    groups.push([slice.map((entry) => entry.pair), [...new Set(slice.map((entry) => entry.text))]]);
  }
  return groups;
}
