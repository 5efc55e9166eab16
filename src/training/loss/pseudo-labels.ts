/** Below this share of the likest a relation is not alike at all. */
const LEAST = 0.3;

/**
 * Relational pseudo-labels: relations that mean about the same as those that hold get a share of the label.
 *
 * With D the Euclidean distances of the relations' vectors, S = max D − D row by row, and G the relations that hold,
 * r = Σ_{i ∈ G} S_i, over its largest; 0 for G itself, and where it is 0.3 or less.
 *
 * @param vectors of the relations, before any fusion, `[relations, width]` row by row
 * @param relations which hold, `[pairs, relations]`
 * @returns r, `[pairs, relations]`, to be added to the labels
 *
 * Source: Yuan et al., "RLIP", 2022, section 3.4 (relational pseudo-labels).
 */
export function pseudoLabels(vectors: Float32Array, count: number, relations: Float32Array): Float32Array {
  const width = vectors.length / count;
  const similarity = similarities(vectors, count, width);
  const result = new Float32Array(relations.length);
  for (let start = 0; start < relations.length; start += count) {
    const row = result.subarray(start, start + count);
    for (let i = 0; i < count; i++)
      if (relations[start + i] === 1) for (let j = 0; j < count; j++) row[j]! += similarity[i * count + j]!;
    const most = row.reduce((a, b) => Math.max(a, b), 0);
    for (let j = 0; j < count; j++) {
      const share = most > 0 ? row[j]! / most : 0;
      row[j] = relations[start + j] === 1 || share <= LEAST ? 0 : share;
    }
  }
  return result;
}

function similarities(vectors: Float32Array, count: number, width: number): Float64Array {
  const result = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    let most = 0;
    for (let j = 0; j < count; j++) {
      let sum = 0;
      // PyTorch's pairwise distance adds a little to each difference.
      for (let k = 0; k < width; k++) sum += (vectors[i * width + k]! - vectors[j * width + k]! + 1e-6) ** 2;
      result[i * count + j] = Math.sqrt(sum);
      most = Math.max(most, Math.sqrt(sum));
    }
    for (let j = 0; j < count; j++) result[i * count + j] = most - result[i * count + j]!;
  }
  return result;
}
