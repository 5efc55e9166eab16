/** Predicates with a lower similarity, relative to the most similar one, receive nothing. */
const THRESHOLD = 0.3;

/**
 * Computes relational pseudo-labels: predicates that are similar to those that hold receive a part of the target.
 *
 * With D the Euclidean distances between the predicates' vectors, S = max D − D row by row, and G the predicates that
 * hold, r = Σ_{i ∈ G} S_i / max; r is 0 for G itself, and where it is 0.3 or less.
 *
 * @param vectors of the predicates, before any fusion, `[relations, width]` in row-major order
 * @param count number of predicates
 * @param relations which predicates hold, `[pairs, relations]`
 * @returns r, `[pairs, relations]`, to be added to the targets
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
      row[j] = relations[start + j] === 1 || share <= THRESHOLD ? 0 : share;
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
      // As PyTorch's `pairwise_distance`, which adds 1e-6 to each difference.
      for (let k = 0; k < width; k++) sum += (vectors[i * width + k]! - vectors[j * width + k]! + 1e-6) ** 2;
      result[i * count + j] = Math.sqrt(sum);
      most = Math.max(most, Math.sqrt(sum));
    }
    for (let j = 0; j < count; j++) result[i * count + j] = most - result[i * count + j]!;
  }
  return result;
}
