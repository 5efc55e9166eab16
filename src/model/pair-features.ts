/** Numbers that `boxFeatures` has of a box. */
export const BOX_FEATURES = 8;
/** Numbers that `pairFeatures` has of a pair. */
export const PAIR_FEATURES = 20;

/** A box without width or height counts as one of this share of the image. */
const MIN_SIDE = 1e-3;
/** Ratios are held within this many times. */
const MAX_RATIO = 4;

const clip = (value: number): number => Math.min(MAX_RATIO, Math.max(-MAX_RATIO, value));
/** Of lengths from a hundredth of the image to all of it, about within [−1, 1]. */
const scaleLength = (length: number): number => (Math.log(Math.max(MIN_SIDE, length)) + 2.3) / 2.3;

/**
 * A box as a small network takes it: centre, logarithms of its sides, edges.
 * @param boxes cx, cy, w and h in [0, 1], row by row
 * @returns `[boxes, BOX_FEATURES]` row by row
 */
export function boxFeatures(boxes: Float32Array): Float32Array {
  const count = boxes.length / 4;
  const features = new Float32Array(count * BOX_FEATURES);
  for (let k = 0; k < count; k++) {
    const [x, y, w, h] = boxes.subarray(4 * k, 4 * k + 4) as unknown as [number, number, number, number];
    features.set(
      [
        2 * x - 1,
        2 * y - 1,
        scaleLength(w),
        scaleLength(h),
        2 * (x - w / 2) - 1,
        2 * (x + w / 2) - 1,
        2 * (y - h / 2) - 1,
        2 * (y + h / 2) - 1,
      ],
      k * BOX_FEATURES,
    );
  }
  return features;
}

/**
 * How subject and object lie to each other, in units of both: distances of centres and edges, gaps, how large one is
 * beside the other, how much of each is in the other.
 * @param boxes `[groups, 2 slots, 4]` row by row, subjects then objects of a group; cx, cy, w and h in [0, 1]
 * @returns `[groups, slots, PAIR_FEATURES]` row by row
 */
export function pairFeatures(boxes: Float32Array, groups: number, slots: number): Float32Array {
  const features = new Float32Array(groups * slots * PAIR_FEATURES);
  for (let group = 0; group < groups; group++)
    for (let slot = 0; slot < slots; slot++) {
      const [s, o] = [4 * (2 * group * slots + slot), 4 * ((2 * group + 1) * slots + slot)];
      features.set(pairRow(boxes.subarray(s, s + 4), boxes.subarray(o, o + 4)), (group * slots + slot) * PAIR_FEATURES);
    }
  return features;
}

function pairRow(subject: Float32Array, object: Float32Array): number[] {
  const [sx, sy, sw, sh] = withMinimumSides(subject);
  const [ox, oy, ow, oh] = withMinimumSides(object);
  const [dx, dy] = [ox - sx, oy - sy];
  const [w, h] = [(sw + ow) / 2, (sh + oh) / 2];
  const across = overlap(sx, sw, ox, ow);
  const down = overlap(sy, sh, oy, oh);
  const shared = Math.max(0, across) * Math.max(0, down);
  const [areaS, areaO] = [sw * sh, ow * oh];
  return [
    clip(dx / sw),
    clip(dx / ow),
    clip(dy / sh),
    clip(dy / oh),
    // Between the edges that are next to each other; below 0 where the boxes overlap.
    clip(-across / w),
    clip(-down / h),
    clip(-across / h),
    clip(-down / w),
    clip((dy + (oh - sh) / 2) / h),
    clip((dy - (oh - sh) / 2) / h),
    clip((dx + (ow - sw) / 2) / w),
    clip((dx - (ow - sw) / 2) / w),
    clip(Math.log(sw / ow)),
    clip(Math.log(sh / oh)),
    shared / (areaS + areaO - shared),
    shared / areaS,
    shared / areaO,
    scaleLength(Math.sqrt(areaS)),
    scaleLength(Math.sqrt(areaO)),
    Math.abs(dx) < w ? 1 : 0,
  ];
}

const withMinimumSides = ([x, y, w, h]: Float32Array): [number, number, number, number] => [
  x!,
  y!,
  Math.max(MIN_SIDE, w!),
  Math.max(MIN_SIDE, h!),
];

/** How far two stretches overlap; below 0 how far they are apart. */
const overlap = (a: number, aLength: number, b: number, bLength: number): number =>
  Math.min(a + aLength / 2, b + bLength / 2) - Math.max(a - aLength / 2, b - bLength / 2);
