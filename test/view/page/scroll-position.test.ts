import assert from 'node:assert/strict';
import { MAX_SCROLL_HEIGHT, scrolledTo, scrollTopFor } from '../../../src/view/page/grid/scroll-position.js';

const WINDOW = 900;
/** A million images in two columns on a phone. */
const HIGH = 500_000 * 180;

describe('scroll position', () => {
  it('is that of the element where the content is low enough', () => {
    assert.equal(scrolledTo(5000, { scrollTop: 0, contentTop: 0 }, 10_000, WINDOW).contentTop, 5000);
    assert.equal(scrollTopFor(5000, 10_000, WINDOW), 5000);
  });

  it('moves by as much as the wheel in content that is too high for an element', () => {
    const before = { scrollTop: 4_000_000, contentTop: 45_000_000 };
    assert.equal(scrolledTo(4_000_120, before, HIGH, WINDOW).contentTop, 45_000_120);
    assert.equal(scrolledTo(3_999_880, before, HIGH, WINDOW).contentTop, 44_999_880);
  });

  it('jumps with the scroll bar, and reaches both ends', () => {
    const before = { scrollTop: 4_000_000, contentTop: 45_000_000 };
    const max = MAX_SCROLL_HEIGHT - WINDOW;
    assert.equal(scrolledTo(max / 4, before, HIGH, WINDOW).contentTop, (HIGH - WINDOW) / 4);
    assert.equal(scrolledTo(max, before, HIGH, WINDOW).contentTop, HIGH - WINDOW);
    assert.equal(scrolledTo(0, before, HIGH, WINDOW).contentTop, 0);
  });

  it('has an element position that leads back to the same place', () => {
    const contentTop = 12_345_600;
    const scrollTop = scrollTopFor(contentTop, HIGH, WINDOW);
    const back = scrolledTo(scrollTop, { scrollTop: 0, contentTop: 0 }, HIGH, WINDOW).contentTop;
    assert.ok(Math.abs(back - contentTop) < 1e-3);
  });
});
