/**
 * Gives each row a column of its own so that the sum of costs is least, by shortest augmenting paths.
 *
 * @param cost `[rows, columns]` row by row, no row more than there are columns
 * @returns the column of each row
 * @throws RangeError where there are more rows than columns, or a cost is not a number
 *
 * Source: Kuhn, 1955, in the form of Jonker and Volgenant, 1987: O(rows² · columns).
 */
export function hungarian(cost: Float64Array, rows: number, columns: number): Int32Array {
  if (rows > columns) throw new RangeError(`${rows} rows, but only ${columns} columns`);
  if (cost.some(Number.isNaN)) throw new RangeError('a cost is not a number');
  // Row and column 0 stand for none.
  const rowPrice = new Float64Array(rows + 1);
  const columnPrice = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  const before = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    const least = new Float64Array(columns + 1).fill(Number.POSITIVE_INFINITY);
    const reached = new Uint8Array(columns + 1);
    rowOf[0] = row;
    let at = 0;
    do {
      reached[at] = 1;
      const from = rowOf[at]!;
      let step = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let column = 1; column <= columns; column++) {
        if (reached[column]) continue;
        const reduced = cost[(from - 1) * columns + column - 1]! - rowPrice[from]! - columnPrice[column]!;
        if (reduced < least[column]!) {
          least[column] = reduced;
          before[column] = at;
        }
        if (least[column]! < step) {
          step = least[column]!;
          next = column;
        }
      }
      for (let column = 0; column <= columns; column++)
        if (reached[column]) {
          rowPrice[rowOf[column]!]! += step;
          columnPrice[column]! -= step;
        } else least[column]! -= step;
      at = next;
    } while (rowOf[at] !== 0);
    for (; at !== 0; at = before[at]!) rowOf[at] = rowOf[before[at]!]!;
  }
  const result = new Int32Array(rows);
  for (let column = 1; column <= columns; column++) if (rowOf[column]! > 0) result[rowOf[column]! - 1] = column - 1;
  return result;
}
