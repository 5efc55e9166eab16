/** Number of features that `boxFeatures` computes per box. */
export const BOX_FEATURES = 8;
/** Number of features that `pairFeatures` computes per pair. */
export const PAIR_FEATURES = 20;

/** Minimum width and height of a box, as a fraction of the image. */
const MIN_SIDE = 1e-3;
/** Ratios are clipped to [−MAX_RATIO, MAX_RATIO]. */
const MAX_RATIO = 4;

const clip = (value: number): number => Math.min(MAX_RATIO, Math.max(-MAX_RATIO, value));
/** Logarithm of a length, scaled so that lengths from 0.01 to 1 of the image map to about [−1, 1]. */
const scaleLength = (length: number): number => (Math.log(Math.max(MIN_SIDE, length)) + 2.3) / 2.3;

/**
 * Computes features of single boxes: center, logarithms of width and height, and edges.
 * @param boxes cx, cy, w and h in [0, 1], `[boxes, 4]` in row-major order
 * @returns `[boxes, BOX_FEATURES]` in row-major order
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
 * Computes features of the relative position of subject and object, in units of both boxes: distances between centers and
 * edges, gaps, size ratios, and overlaps.
 * @param boxes cx, cy, w and h in [0, 1], `[groups, 2 slots, 4]` in row-major order, first the subjects of a group, then its
 *   objects
 * @returns `[groups, slots, PAIR_FEATURES]` in row-major order
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
    // Gaps between the facing edges; negative when the boxes overlap.
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

/** Length of the overlap of two intervals, given by center and length; negative when there is a gap. */
const overlap = (a: number, aLength: number, b: number, bLength: number): number =>
  Math.min(a + aLength / 2, b + bLength / 2) - Math.max(a - aLength / 2, b - bLength / 2);
