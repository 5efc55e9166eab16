import assert from 'node:assert/strict';
import sharp from 'sharp';
import { pixelOrder, readImageHeader, sizesAgree } from '../../src/files/image-header.js';

const size = (width: number, height: number) => ({ width, height });

describe('image headers', () => {
  it('read the size as stored and as shown', async () => {
    const jpeg = (orientation: number) =>
      sharp({ create: { ...size(60, 40), channels: 3, background: 'red' } })
        .jpeg()
        .withMetadata({ orientation })
        .toBuffer();
    assert.deepEqual(await readImageHeader(await jpeg(1)), {
      stored: size(60, 40),
      upright: size(60, 40),
      orientation: 1,
    });
    assert.deepEqual(await readImageHeader(await jpeg(3)), {
      stored: size(60, 40),
      upright: size(60, 40),
      orientation: 3,
    });
    assert.deepEqual(await readImageHeader(await jpeg(6)), {
      stored: size(60, 40),
      upright: size(40, 60),
      orientation: 6,
    });
    assert.equal(await readImageHeader(Buffer.from('no image')), null);
  });

  it('agree with sizes of the same proportions', () => {
    assert.ok(sizesAgree(size(640, 427), size(640, 427)));
    assert.ok(sizesAgree(size(640, 427), size(1280, 854)));
    assert.ok(sizesAgree(size(640, 427), size(32, 21)));
    assert.equal(sizesAgree(size(640, 427), size(427, 640)), false);
    assert.equal(sizesAgree(size(640, 480), size(640, 427)), false);
    assert.equal(sizesAgree(size(640, 480), size(500, 500)), false);
  });

  it('decide whether boxes belong to the upright pixels or to those as stored', () => {
    const header = { stored: size(60, 40), upright: size(40, 60), orientation: 6 };
    assert.equal(pixelOrder(size(40, 60), header), 'upright');
    assert.equal(pixelOrder(size(120, 80), header), 'stored');
    assert.equal(pixelOrder(size(50, 50), header), null);
  });
});
