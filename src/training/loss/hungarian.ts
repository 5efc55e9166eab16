/**
 * Solves the assignment problem: assigns each row a column of its own with the least sum of costs, by shortest
 * augmenting paths.
 *
 * @param cost `[rows, columns]` in row-major order
 * @returns the column of each row
 * @throws RangeError when there are more rows than columns, or a cost is not a number
 *
 * Source: Kuhn, 1955, in the form of Jonker and Volgenant, 1987: O(rows² · columns).
 */
export function hungarian(cost: Float64Array, rows: number, columns: number): Int32Array {
  if (rows > columns) throw new RangeError(`hungarian: ${rows} rows, expected at most ${columns}, one for each column`);
  if (cost.some(Number.isNaN)) throw new RangeError('hungarian: a cost is NaN, expected numbers');
  // Indices start at 1; row and column 0 mean unassigned.
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOfColumn = new Int32Array(columns + 1);
  const previous = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    const minReduced = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const visited = new Uint8Array(columns + 1);
    rowOfColumn[0] = row;
    let at = 0;
    do {
      visited[at] = 1;
      const currentRow = rowOfColumn[at]!;
      let delta = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let column = 1; column <= columns; column++) {
        if (visited[column]) continue;
        const reduced =
          cost[(currentRow - 1) * columns + column - 1]! - rowPotential[currentRow]! - columnPotential[column]!;
        if (reduced < minReduced[column]!) {
          minReduced[column] = reduced;
          previous[column] = at;
        }
        if (minReduced[column]! < delta) {
          delta = minReduced[column]!;
          next = column;
        }
      }
      for (let column = 0; column <= columns; column++)
        if (visited[column]) {
          rowPotential[rowOfColumn[column]!]! += delta;
          columnPotential[column]! -= delta;
        } else minReduced[column]! -= delta;
      at = next;
    } while (rowOfColumn[at] !== 0);
    for (; at !== 0; at = previous[at]!) rowOfColumn[at] = rowOfColumn[previous[at]!]!;
  }
  const result = new Int32Array(rows);
  for (let column = 1; column <= columns; column++)
    if (rowOfColumn[column]! > 0) result[rowOfColumn[column]! - 1] = column - 1;
  return result;
}
