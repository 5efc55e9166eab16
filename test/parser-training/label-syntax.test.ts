import assert from 'node:assert/strict';
import { readLabels } from '../../parser-training/label-syntax.js';
import { spokenSentences } from '../../parser-training/spoken-sentences.js';

describe('sentences and labels of the syntax teacher', () => {
  it('gives the distinct sentences of captions as the rules read them, without excluded ones', () => {
    const captions = [
      'The image shows a dog. It barks.',
      'A dog. A sign that says "no parking here" on a wall.',
      "A wet cat's tail.",
    ];
    assert.deepEqual(
      spokenSentences(captions, ['It barks.']).map((words) => words.join(' ')),
      ['a dog', 'a sign that says " on a wall', "a wet cat 's tail"],
    );
  });

  it('reads one label per word and refuses others', () => {
    const sentences = [['dogs', 'bark'], ['snow']];
    assert.deepEqual(readLabels('NOUN/NNS/1/nsubj VERB/VBP/1/ROOT\nNOUN/NN/0/ROOT\n', sentences)[0], [
      { pos: 'NOUN', tag: 'NNS', head: 1, dependency: 'nsubj' },
      { pos: 'VERB', tag: 'VBP', head: 1, dependency: 'ROOT' },
    ]);
    assert.throws(() => readLabels('NOUN/NNS/1/nsubj VERB/VBP/1/ROOT\n', sentences), /1 lines of labels, expected 2/);
    assert.throws(
      () => readLabels('NOUN/NNS/0/ROOT\nNOUN/NN/0/ROOT\n', sentences),
      /1 labels for 'dogs bark', expected 2/,
    );
    assert.throws(() => readLabels('NOUN/NNS/2/nsubj VERB/VBP/1/ROOT\nNOUN/NN/0/ROOT', sentences), /a head below 2/);
  });
});
