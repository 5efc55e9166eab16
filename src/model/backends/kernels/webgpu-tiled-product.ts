import type * as tf from '@tensorflow/tfjs-core';
import { shapeSize } from './shape-size.js';
import { releaseWebgpuBuffer, runProgram, type Uniforms } from './webgpu-program.js';

/** Rows and columns of the product that a workgroup computes, and how many of its terms are in its memory at a time. */
const [TILE, DEPTH] = [64, 16];
/** Groups of four elements along an edge of a tile. */
const QUARTER = TILE / 4;
/** Threads of a workgroup: each computes 4 × 4 elements, and loads four numbers of either factor at a time. */
const THREADS = QUARTER * QUARTER;
/** Workgroups that keep a large GPU busy, and the fewest terms of a sum for which it is divided. */
const [WORKGROUPS, LEAST_TERMS] = [512, 256];

/** How a thread loads four numbers of a factor: of four rows of the left one or columns of the right one, for one term. */
export interface TileFactor {
  /** Name of the uniform that has the number of rows or columns. */
  readonly limit: 'rows' | 'columns';
  /** WGSL of the part of an index that depends on the row or column `at` alone; it is computed once. */
  readonly offset: string;
  /** WGSL of the number at `offset`, of a `term` and a `batch`. */
  readonly number: string;
  /** WGSL that declares what depends on `term` and `batch` alone. */
  readonly prepare?: string;
  /** Whether the numbers of neighboring terms are next to each other in memory, rather than those of neighboring rows or columns. */
  readonly alongTerms: boolean;
}

/** A product of matrices that are read from flat arrays. */
export interface TiledProduct {
  /** Identifies the compiled program, see `runProgram`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly uniforms: Uniforms;
  readonly left: TileFactor;
  readonly right: TileFactor;
  readonly batches: number;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  /** Shape of the result: `[batches, rows, columns]`, or another one of this size. */
  readonly shape: readonly number[];
}

/** WGSL of the loads of a factor; neighboring threads load neighboring numbers. */
function loading({ limit, offset, number, prepare = '', alongTerms }: TileFactor, tile: string, axis: 'x' | 'y') {
  const [quarter, line] = alongTerms
    ? [`(local / ${DEPTH})`, `(local % ${DEPTH})`]
    : [`(local % ${QUARTER})`, `(local / ${QUARTER})`];
  return {
    declaration: `
fn ${tile}Offset(at: i32) -> i32 { return ${offset}; }
fn ${tile}Numbers(first: i32, offsets: vec4<i32>, term: i32, batch: i32) -> vec4<f32> {
  var four = vec4<f32>(0.0);
  if (term < uniforms.terms) {
    ${prepare}
    for (var k = 0; k < 4; k++) {
      let offset = offsets[k];
      if (first + k < uniforms.${limit}) { four[k] = ${number}; }
    }
  }
  return four;
}
`,
    start: `
  let ${tile}First = i32(workgroupId.${axis}) * ${TILE} + 4 * ${quarter};
  let ${tile}Offsets = vec4<i32>(${[0, 1, 2, 3].map((k) => `${tile}Offset(${tile}First + ${k})`).join(', ')});`,
    step: `
    ${tile}[${line}][${quarter}] = ${tile}Numbers(${tile}First, ${tile}Offsets, begin + ${line}, batch);`,
  };
}

const productCode = ({ left, right }: TiledProduct): string => {
  const [a, b] = [loading(left, 'leftTile', 'x'), loading(right, 'rightTile', 'y')];
  return `
var<workgroup> leftTile: array<array<vec4<f32>, ${QUARTER}>, ${DEPTH}>;
var<workgroup> rightTile: array<array<vec4<f32>, ${QUARTER}>, ${DEPTH}>;
${a.declaration}${b.declaration}
fn main(index: i32) {
  let local = i32(localIndex);
  let column = local % ${QUARTER};
  let line = local / ${QUARTER};
  let batch = i32(workgroupId.z) / uniforms.parts;
  let part = i32(workgroupId.z) % uniforms.parts;
  var sums: array<vec4<f32>, 4>;
  ${a.start}
  ${b.start}
  for (var step = 0; step < uniforms.steps; step++) {
    let begin = (part * uniforms.steps + step) * ${DEPTH};
    ${a.step}
    ${b.step}
    workgroupBarrier();
    for (var k = 0; k < ${DEPTH}; k++) {
      let a = leftTile[k][line];
      let b = rightTile[k][column];
      sums[0] += a.x * b;
      sums[1] += a.y * b;
      sums[2] += a.z * b;
      sums[3] += a.w * b;
    }
    workgroupBarrier();
  }
  let firstColumn = i32(workgroupId.y) * ${TILE} + 4 * column;
  let batches = i32(numWorkgroups.z) / uniforms.parts;
  for (var i = 0; i < 4; i++) {
    let row = i32(workgroupId.x) * ${TILE} + 4 * line + i;
    if (row >= uniforms.rows) { break; }
    let start = ((part * batches + batch) * uniforms.rows + row) * uniforms.columns + firstColumn;
    for (var k = 0; k < 4; k++) {
      if (firstColumn + k < uniforms.columns) { result[start + k] = sums[i][k]; }
    }
  }
}
`;
};

/** Adds the parts in their order, so that a sum has the same bits each time. */
const SUM_OF_PARTS = `
fn main(index: i32) {
  if (index >= uniforms.count) { return; }
  var sum = parts[index];
  for (var part = 1; part < uniforms.parts; part++) { sum += parts[part * uniforms.count + index]; }
  result[index] = sum;
}
`;

/**
 * Computes a product by tiles in the memory of workgroups. Where there are few tiles, their sums are divided into parts, which a
 * second program adds.
 */
export function runTiledProduct(product: TiledProduct): tf.TensorInfo {
  const { name, inputs, batches, rows, columns, terms, shape } = product;
  const tiles = [Math.ceil(rows / TILE), Math.ceil(columns / TILE)] as const;
  const wanted = Math.ceil(WORKGROUPS / (tiles[0] * tiles[1] * batches));
  const most = Math.max(1, Math.min(wanted, Math.floor(terms / LEAST_TERMS)));
  const steps = Math.max(1, Math.ceil(terms / (most * DEPTH)));
  const parts = Math.max(1, Math.ceil(terms / (steps * DEPTH)));
  const made = runProgram({
    ...{ name, inputs, code: productCode(product) },
    uniforms: { rows, columns, terms, steps, parts, ...product.uniforms },
    threads: { ofWorkgroup: THREADS, workgroups: [tiles[0], tiles[1], batches * parts] },
    shape: parts === 1 ? shape : [parts, ...shape],
  });
  if (parts === 1) return made;
  const count = shapeSize(shape);
  const sum = runProgram({
    name: 'sum of parts',
    code: SUM_OF_PARTS,
    inputs: { parts: made },
    uniforms: { count, parts },
    threads: count,
    shape,
  });
  releaseWebgpuBuffer(made);
  return sum;
}
