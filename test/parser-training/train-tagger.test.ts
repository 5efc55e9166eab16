import assert from 'node:assert/strict';
import { readLabels } from '../../parser-training/label-syntax.js';
import { taggerLabels } from '../../parser-training/tagger-labels.js';
import { taggerAgreement, trainTagger } from '../../parser-training/train-tagger.js';
import { encodeTagger } from '../../src/parser/tagging/tagger-model.js';
import { tagNames, tagNumbers, type WordTag } from '../../src/parser/tagging/word-tags.js';

const sentence = (text: string) => {
  const pairs = text.split(' ').map((pair) => pair.split('/') as [string, WordTag]);
  return { words: pairs.map(([word]) => word), tags: Uint8Array.from(pairs, ([, tag]) => tagNumbers[tag]) };
};

describe('training of the tagger', () => {
  it('learns words by their neighbors, and the same bytes each time', () => {
    const sentences = ['dog', 'cat', 'boy', 'girl', 'clerk'].flatMap((who) => [
      sentence(`a/DT ${who}/NN watches/VBZ the/DT waves/NNS`),
      sentence(`the/DT ${who}/NN waves/VBZ at/IN a/DT guard/NN`),
      sentence(`two/CD watches/NNS on/IN a/DT table/NN`),
    ]);
    const options = { epochs: 10, perceptrons: 2, bits: 12, seed: 3 };
    const model = trainTagger(sentences, options);
    assert.deepEqual(
      taggerAgreement(model, [sentence('the/DT nurse/NN waves/VBZ at/IN two/CD watches/NNS')]).get('all'),
      {
        words: 6,
        right: 6,
      },
    );
    assert.deepEqual(encodeTagger(trainTagger(sentences, options)), encodeTagger(model));
    assert.notDeepEqual(encodeTagger(trainTagger(sentences, { ...options, seed: 4 })), encodeTagger(model));
  });

  it('corrects labels that are wrong about captions', () => {
    const labeled = (text: string) => {
      const tokens = text.split(' ').map((token) => token.split('|') as [string, string]);
      const words = tokens.map(([word]) => word);
      const labels = readLabels(tokens.map(([, label]) => label).join(' '), [words]);
      return [...taggerLabels([words], labels)[0]!].map((tag) => tagNames[tag]);
    };
    assert.deepEqual(
      labeled('a|DET/DT/2/det parked|VERB/VBN/2/amod car|NOUN/NN/2/ROOT and|CCONJ/CC/2/cc trees|PROPN/NNPS/2/conj'),
      ['DT', 'JJ', 'NN', 'CC', 'NNS'],
    );
    assert.deepEqual(
      labeled(
        'a|DET/DT/2/det polar|ADJ/JJ/2/amod bear|NOUN/NN/3/compound swimming|NOUN/NN/3/ROOT in|ADP/IN/3/prep it|PRON/PRP/4/pobj',
      ),
      ['DT', 'JJ', 'NN', 'VBG', 'IN', 'PRP'],
    );
  });
});
