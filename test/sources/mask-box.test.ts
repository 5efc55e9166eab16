import assert from 'node:assert/strict';
import { maskBox } from '../../src/sources/mask-box.js';

describe('maskBox', () => {
  it('returns the bounds of polygons', () => {
    assert.deepEqual(maskBox([[100, 50, 180.5, 50, 180.5, 250, 100, 250]]), [100, 50, 80.5, 200]);
    const two = [
      [10, 10, 20, 10, 20, 20],
      [5, 15, 8, 15, 8, 40],
    ];
    assert.deepEqual(maskBox(two), [5, 10, 15, 30]);
  });

  it('accepts a polygon that is not in a list, and points that are lists', () => {
    assert.deepEqual(maskBox([1, 2, 5, 2, 5, 9]), [1, 2, 4, 7]);
    const points = [
      [1, 2],
      [5, 2],
      [5, 9],
    ];
    assert.deepEqual(maskBox(points), [1, 2, 4, 7]);
    assert.deepEqual(maskBox([points]), [1, 2, 4, 7]);
  });

  it('returns the pixels of a run-length encoding, which runs down the columns', () => {
    // 5 rows, 7 columns: rows 1 to 2 of column 2, rows 1 to 3 of column 3.
    assert.deepEqual(maskBox({ size: [5, 7], counts: [11, 2, 3, 3, 16] }), [2, 1, 2, 3]);
    // A run from the bottom of one column to the top of the next.
    assert.deepEqual(maskBox({ size: [5, 7], counts: [9, 2, 24] }), [1, 0, 2, 5]);
    assert.deepEqual(maskBox({ size: [5, 7], counts: [0, 35] }), [0, 0, 7, 5]);
  });

  // Encoded by pycocotools 2.0, `mask.encode`; boxes of `mask.toBbox`.
  it('decodes compressed run-length encodings', () => {
    assert.deepEqual(maskBox({ size: [5, 7], counts: ';142<' }), [2, 1, 2, 3]);
    const counts = 'Zi0?S11O1OO10000000000000000000000000000000000000000000000000000000fh0';
    assert.deepEqual(maskBox({ size: [50, 64], counts }), [16, 10, 32, 17]);
    const speckles =
      'b11i10mN0A0U10C0A0C0U10G0]31hLO_10kM0:0j00;0VN060N0h10nN0ZO000:010_O0_20kN0nN0g10WN010m20oM0nN000U10WO0j01iNO50j10UO0<0nN010E0M0g10XN0:0m00UO0j00]O0<1_OO50g50YJ050:0H0T10gN0?0C0YO0V10oN0511O50H03';
    assert.deepEqual(maskBox({ size: [60, 40], counts: speckles }), [0, 0, 40, 60]);
  });

  it('returns null for anything else', () => {
    const others = [
      null,
      'x',
      [],
      [[]],
      [[1, 2, 3]],
      [[1, 2, null, 4]],
      [[[[1, 2, 3, 4]]]],
      {},
      { size: [5, 7] },
      { size: [5, 7], counts: [35] },
      { size: [5, 7], counts: [1, 99] },
      { size: [5, 7], counts: [1, -1] },
      { size: [5, 7], counts: ';142\u00ff' },
      { size: [5, 7], counts: ';14`' },
      { size: ['5', 7], counts: [0, 35] },
    ];
    for (const other of others) assert.equal(maskBox(other), null, JSON.stringify(other));
  });
});
