import assert from 'node:assert/strict';
import { tagWords } from '../../../src/parser/tagging/tagger.js';
import { decodeTagger, encodeTagger } from '../../../src/parser/tagging/tagger-model.js';
import { tagNames } from '../../../src/parser/tagging/word-tags.js';

const tagged = (sentence: string) => {
  const words = sentence.split(' ');
  return [...tagWords(words)].map((tag, k) => `${words[k]}/${tagNames[tag]}`).join(' ');
};

describe('the tagger', () => {
  for (const expected of [
    'a/DT forklift/NN carrying/VBG a/DT stack/NN of/IN boxes/NNS drives/VBZ along/IN a/DT ramp/NN',
    'his/PRP$ brushes/NNS are/AUX spread/VBN out/RP on/IN a/DT cloth/NN',
    'two/CD plumbers/NNS rest/VB on/IN a/DT wall/NN that/W they/PRP built/VBD',
    "the/DT cook/NN 's/POS apron/NN hangs/VBZ on/IN the/DT door/NN",
  ])
    it(`reads "${expected.replace(/\/[A-Z$]+/g, '')}"`, () => {
      assert.equal(tagged(expected.replace(/\/[A-Z$]+/g, '')), expected);
    });

  it('has tags for numbers, hyphenated, foreign and very long words', () => {
    const words = ['a', '12', 'black-and-white', '7-story', 'кошка', '犬', 'q'.repeat(5000), "'s", ',', '"'];
    const tags = [...tagWords(words)].map((tag) => tagNames[tag]!);
    assert.deepEqual(tags.slice(0, 6), ['DT', 'CD', 'JJ', 'CD', 'X', 'X']);
    assert.ok(['NN', 'JJ'].includes(tags[6]!));
    assert.deepEqual(tagWords([]), new Uint8Array(0));
  });

  it('refuses a model of another format', () => {
    const bytes = encodeTagger({ words: new Map([['dog', 1]]), weights: new Int8Array(4), bits: 2 });
    assert.deepEqual(decodeTagger(bytes), { words: new Map([['dog', 1]]), weights: new Int8Array(4), bits: 2 });
    const other = Buffer.from(bytes).toString('latin1').replace('tagger-1', 'tagger-0');
    assert.throws(
      () => decodeTagger(Buffer.from(other, 'latin1')),
      /format 'relflow-tagger-0', expected 'relflow-tagger-1'/,
    );
  });
});
