import assert from 'node:assert/strict';
import { readLabels } from '../../parser-training/label-syntax.js';
import { syntacticSubjects } from '../../parser-training/syntactic-subjects.js';
import { subjectAccuracy, subjectExamples, trainSubjects } from '../../parser-training/train-subjects.js';

/** A sentence with its labels, each word as `word/POS/TAG/HEAD/DEP`. */
function labeled(text: string) {
  const words = text.split(' ').map((word) => word.slice(0, word.indexOf('/')));
  const labels = text.split(' ').map((word) => word.slice(word.indexOf('/') + 1));
  return { words, syntax: readLabels(labels.join(' '), [words])[0]! };
}

const nouns: Readonly<Record<string, string>> = {
  'a man riding a horse on a beach':
    'a/DET/DT/1/det man/NOUN/NN/1/ROOT riding/VERB/VBG/1/acl a/DET/DT/4/det horse/NOUN/NN/2/dobj on/ADP/IN/2/prep a/DET/DT/7/det beach/NOUN/NN/5/pobj',
  'a dog and a cat on a mat':
    'a/DET/DT/1/det dog/NOUN/NN/1/ROOT and/CCONJ/CC/1/cc a/DET/DT/4/det cat/NOUN/NN/1/conj on/ADP/IN/1/prep a/DET/DT/7/det mat/NOUN/NN/5/pobj',
  'a car in front of a house':
    'a/DET/DT/1/det car/NOUN/NN/1/ROOT in/ADP/IN/1/prep front/NOUN/NN/2/pobj of/ADP/IN/3/prep a/DET/DT/6/det house/NOUN/NN/4/pobj',
  'a group of boys kicking a ball':
    'a/DET/DT/1/det group/NOUN/NN/1/ROOT of/ADP/IN/1/prep boys/NOUN/NNS/2/pobj kicking/VERB/VBG/1/acl a/DET/DT/6/det ball/NOUN/NN/4/dobj',
  'a table is covered with plates':
    'a/DET/DT/1/det table/NOUN/NN/3/nsubjpass is/AUX/VBZ/3/auxpass covered/VERB/VBN/3/ROOT with/ADP/IN/3/prep plates/NOUN/NNS/4/pobj',
};

describe('training of the scores of subjects', () => {
  for (const [sentence, object, subjects] of [
    ['a man riding a horse on a beach', 'horse', ['man']],
    ['a man riding a horse on a beach', 'beach', ['man']],
    ['a man riding a horse on a beach', 'man', []],
    ['a dog and a cat on a mat', 'mat', ['dog', 'cat']],
    ['a car in front of a house', 'house', ['car']],
    ['a group of boys kicking a ball', 'ball', ['boys']],
    ['a table is covered with plates', 'plates', ['table']],
  ] as const)
    it(`finds the subject of "${object}" in "${sentence}"`, () => {
      const { words, syntax } = labeled(nouns[sentence]!);
      const isPhrase = (word: number) => syntax[word]!.pos === 'NOUN' && !/^(?:front|group)$/.test(words[word]!);
      assert.deepEqual(
        syntacticSubjects(syntax, words.indexOf(object), isPhrase).map((word) => words[word]),
        subjects,
      );
    });

  it('learns what examples show, and gives the same weights for the same examples', () => {
    const examples = Object.values(nouns).flatMap((text) => {
      const { words, syntax } = labeled(text);
      return subjectExamples(words, syntax);
    });
    assert.ok(examples.length >= 6);
    const weights = trainSubjects(examples, { epochs: 40, learningRate: 0.1, seed: 1 });
    assert.equal(subjectAccuracy(examples, weights), 1);
    assert.deepEqual(trainSubjects(examples, { epochs: 40, learningRate: 0.1, seed: 1 }), weights);
  });
});
