/** Threads of a workgroup. */
export const THREADS = 256;

/** Arrays that one program squares: with its result, as many as every device can bind. */
export const SQUARED = 7;

/** Numbers of an update that change from step to step, in the layout of the programs. */
export interface UpdateNumbers {
  /** Learning rate with bias correction, and what remains of a weight after decay, by group of parameters. */
  readonly groups: readonly { readonly rate: number; readonly keep: number }[];
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** √(1 − β₂ᵗ). */
  readonly correction: number;
  readonly averageDecay: number;
  /** Upper bound of the norm; 0 disables clipping. */
  readonly maxNorm: number;
  /** Multiplies the gradients of a batch that are added to a sum. */
  readonly weight: number;
}

/** Returns the numbers as the programs read them. */
export const packedNumbers = ({ groups, ...numbers }: UpdateNumbers): Float32Array =>
  Float32Array.of(
    ...groups.flatMap(({ rate, keep }) => [rate, keep, 0, 0]),
    ...[numbers.beta1, numbers.beta2, numbers.epsilon, numbers.correction],
    ...[numbers.averageDecay, numbers.maxNorm, numbers.weight, 0],
  );

const NUMBERS = `
struct Numbers {
  groups: array<vec4<f32>, 3>,
  beta1: f32, beta2: f32, epsilon: f32, correction: f32,
  decay: f32, maxNorm: f32, weight: f32, unused: f32,
}
`;

/** Adds the numbers of all threads of a workgroup; the result is in sums[0]. */
const ADD_SUMS = `
  sums[local] = sum;
  workgroupBarrier();
  for (var stride = ${THREADS / 2}u; stride > 0u; stride >>= 1u) {
    if (local < stride) { sums[local] += sums[local + stride]; }
    workgroupBarrier();
  }
`;

const SUMS = `var<workgroup> sums: array<f32, ${THREADS}>;\n`;

const ARRAYS = Array.from({ length: SQUARED }, (_, k) => k);

/**
 * Sums the squares of some arrays, to one number per workgroup. The y of a workgroup selects the array; \`slots\` has the
 * array's length and the index of its first sum.
 */
const SQUARES = `
@group(0) @binding(0) var<uniform> slots: array<vec4<u32>, ${SQUARED}>;
@group(0) @binding(1) var<storage, read_write> partialSums: array<f32>;
${ARRAYS.map((k) => `@group(0) @binding(${k + 2}) var<storage, read> x${k}: array<f32>;`).join('\n')}
${SUMS}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let slot = slots[group.y];
  let first = group.x * ${THREADS}u + local;
  let step = groups.x * ${THREADS}u;
  var sum = 0.0;
  switch (group.y) {
${ARRAYS.map((k) => `    ${k === 0 ? 'default' : `case ${k}u`}: { for (var i = first; i < slot.x; i += step) { sum += x${k}[i] * x${k}[i]; } }`).join('\n')}
  }
${ADD_SUMS}
  if (local == 0u) { partialSums[slot.y + group.x] = sums[0]; }
}
`;

/**
 * Computes the norm of the gradients from the sums of squares, and decides whether there is an update: \`state\` is 1 or 0 for
 * whether loss and norm are finite, the factor of the gradients, the norm, then the results of the pass.
 */
const DECISION = `
${NUMBERS}
@group(0) @binding(0) var<uniform> slot: vec4<u32>;
@group(0) @binding(1) var<uniform> numbers: Numbers;
@group(0) @binding(2) var<storage, read> partialSums: array<f32>;
@group(0) @binding(3) var<storage, read> results: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<f32>;
${SUMS}
// A comparison may be compiled as if all numbers were finite.
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = 0.0;
  for (var i = local; i < slot.x; i += ${THREADS}u) { sum += partialSums[i]; }
${ADD_SUMS}
  if (local > 0u) { return; }
  let norm = sqrt(sums[0]);
  state[0] = select(0.0, 1.0, isFinite(norm) && isFinite(results[0]));
  state[1] = select(1.0, min(1.0, numbers.maxNorm / (norm + 1e-6)), numbers.maxNorm > 0.0);
  state[2] = norm;
  for (var k = 0u; k < slot.y; k++) { state[3u + k] = results[k]; }
}
`;

/** A program with a thread for each element of its arrays; \`slot\` has their length and the group of the parameter. */
const elementwise = (arrays: readonly string[], code: string): string => `
${NUMBERS}
@group(0) @binding(0) var<uniform> slot: vec4<u32>;
@group(0) @binding(1) var<uniform> numbers: Numbers;
${arrays.map((array, k) => `@group(0) @binding(${k + 2}) var<storage, ${array.replace(' ', '> ')}: array<f32>;`).join('\n')}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * groups.x + group.x) * ${THREADS}u + local;
  if (i >= slot.x) { return; }
${code}
}
`;

const SKIP = '  if (state[0] == 0.0) { return; }';

const ADAM_W = `
  let rates = numbers.groups[slot.y];
  let g = gradient[i] * state[1];
  let m = first[i] * numbers.beta1 + g * (1.0 - numbers.beta1);
  let v = second[i] * numbers.beta2 + g * g * (1.0 - numbers.beta2);
  first[i] = m;
  second[i] = v;
  let updated = weight[i] * rates.y - m / (sqrt(v) / numbers.correction + numbers.epsilon) * rates.x;
  weight[i] = updated;`;

const ADAM_W_ARRAYS = [
  'read state',
  'read gradient',
  'read_write weight',
  'read_write first',
  'read_write second',
] as const;

/** The programs of an update in WGSL. Each binds its uniforms first, then the arrays in the order of their declarations. */
export const updatePrograms = {
  squares: SQUARES,
  decision: DECISION,
  /** The first gradients of a step, and later ones. */
  setSum: elementwise(['read gradient', 'read_write sum'], '  sum[i] = gradient[i] * numbers.weight;'),
  addToSum: elementwise(['read gradient', 'read_write sum'], '  sum[i] += gradient[i] * numbers.weight;'),
  /** AdamW of a parameter, and with its moving average. */
  weights: elementwise(ADAM_W_ARRAYS, `${SKIP}\n${ADAM_W}`),
  weightsAndAverage: elementwise(
    [...ADAM_W_ARRAYS, 'read_write average'],
    `${SKIP}\n${ADAM_W}\n  average[i] = average[i] * numbers.decay + updated * (1.0 - numbers.decay);`,
  ),
  /** The moving average of a parameter that has no gradient. */
  average: elementwise(
    ['read state', 'read weight', 'read_write average'],
    `${SKIP}\n  average[i] = average[i] * numbers.decay + weight[i] * (1.0 - numbers.decay);`,
  ),
} as const;
