import assert from 'node:assert/strict';
import { imagePath, pathTails } from '../../src/files/image-path.js';

describe('imagePath', () => {
  it('keeps the whole path as far as it can be within an image folder', () => {
    const wholeOf = (written: string) => imagePath(written)?.whole;
    assert.equal(wholeOf('/home/me/1.jpg'), 'home/me/1.jpg');
    assert.equal(wholeOf('C:\\data\\1.jpg'), 'data/1.jpg');
    assert.equal(wholeOf('..\\..\\media\\upload\\4\\b.png'), 'media/upload/4/b.png');
    assert.equal(wholeOf('http://images.cocodataset.org/train2017/7.jpg'), 'train2017/7.jpg');
    assert.equal(wholeOf('file:///home/me/1.jpg'), 'home/me/1.jpg');
    assert.equal(wholeOf('a/../../b/1.jpg'), 'b/1.jpg');
  });

  it('never returns a path outside the folder', () => {
    for (const written of [
      '/..',
      '..\\..',
      'http://host/../../1.jpg',
      'https://host/%2e%2e%2f1.jpg',
      '/local-files/?d=../1.jpg',
    ]) {
      const found = imagePath(written);
      if (found) assert.doesNotMatch(`${found.file}/${found.whole}`, /\.\.(\/|$)|^\//, written);
    }
  });

  it('lists the ends of the path, the longest first', () => {
    assert.deepEqual(pathTails(imagePath('/a/b/1.jpg')!), ['b/1.jpg', '1.jpg']);
    assert.deepEqual(pathTails(imagePath('1.jpg')!), []);
    assert.deepEqual(pathTails(imagePath(' 1.jpg')!), ['1.jpg']);
  });
});
