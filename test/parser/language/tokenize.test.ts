import assert from 'node:assert/strict';
import { tokenize } from '../../../src/parser/language/tokenize.js';
import { Random } from '../../../src/records/random.js';

const texts = (caption: string) =>
  tokenize(caption, 1000).map((sentence) => sentence.map(({ text }) => text).join(' '));

describe('tokenize', () => {
  for (const [caption, expected] of [
    ['A man, riding a Horse.', ['a man , riding a horse']],
    ['a dog. two cats!  ', ['a dog', 'two cats']],
    ["the man's t-shirt & the boys' 2.5 kites", ["the man 's t-shirt and the boys 's 2.5 kites"]],
    ['“Stop” (sign)', ['stop , sign ,']],
    ["They're red, and we’ve two", ['they are red , and we have two']],
    ['... ! ?', []],
    ['', []],
  ] as const)
    it(`reads “${caption}”`, () => {
      assert.deepEqual(texts(caption), expected);
    });

  it('splits simple captions like all others: a quote, which is dropped, only disables the fast path', () => {
    const random = new Random(1);
    const pieces = [' ', '  ', ',', '.', ';', '\n', 'a', 'Dog', 'THE', '!', '?', ' , '];
    for (let n = 0; n < 300; n++) {
      const caption = Array.from({ length: 12 }, () => pieces[Math.floor(random.next() * pieces.length)]!).join('');
      assert.deepEqual(tokenize(caption, 1000), tokenize(`${caption} "`, 1000), JSON.stringify(caption));
    }
  });

  it('drops a word that crosses the limit', () => {
    assert.deepEqual(
      tokenize('a man rides', 7).map((sentence) => sentence.map(({ text, end }) => [text, end])),
      [
        [
          ['a', 1],
          ['man', 5],
        ],
      ],
    );
  });
});
