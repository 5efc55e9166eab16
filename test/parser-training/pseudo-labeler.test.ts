import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { modelLabeler } from '../../parser-training/assistant.js';
import type { TrainingExample } from '../../parser-training/training-example.js';
import { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import { neuralParser } from '../../src/parser/neural/neural-parser.js';
import { decodeModel } from '../../src/parser/neural/parser-model.js';
import type { TextGraph } from '../../src/records/text-graph.js';

const model = readFileSync(new URL('../../src/parser/neural/parser.model', import.meta.url));
const captions = [
  'a man riding a brown horse',
  'two dogs in front of a red car',
  'a woman holding a cup',
  'the cat is sleeping',
].map((caption) => caption.split(' '));

describe('PseudoLabeler', () => {
  const labeled = modelLabeler(model).label(captions);
  const { labels } = decodeModel(model, new ParserKernels(64 << 20));

  it('labels captions as the parser reads them', () => {
    const summarize = ({ words, mentions, pairs, owners, attributes }: TrainingExample) => ({
      entities: mentions.map(({ start, end }) => words.slice(start, end).join(' ')),
      related: pairs.filter(({ label }) => label > 0).map(({ first, second }) => [first, second]),
      attributes: owners
        .filter(({ owns }) => owns)
        .map(({ attribute, mention }) => [words[attributes[attribute]!.start], mention]),
    });
    const parser = neuralParser({ minConfidence: 0 });
    assert.deepEqual(
      labeled.map(summarize),
      captions.map((words) => {
        const { entities, relations } = parser.parse(words.join(' ')) as TextGraph;
        return {
          entities: entities.map(({ span }) => span),
          related: relations.map(({ subject, object }) => [Math.min(subject, object), Math.max(subject, object)]),
          attributes: entities.flatMap(({ attributes, quantity }, mention) =>
            [...attributes.map(({ text }) => text), ...(quantity ? [quantity] : [])].map((text) => [text, mention]),
          ),
        };
      }),
    );
  });

  it('returns soft targets that sum to one and agree with the labels', () => {
    for (const { soft, pairs, words } of labeled) {
      const { tags, labels: probabilities } = soft!;
      const near = (sum: number, parts: number) => Math.abs(sum - 255) <= parts / 2;
      for (let t = 0; t < words.length; t++) {
        const sum = tags.subarray(5 * t, 5 * (t + 1)).reduce((all, value) => all + value, 0);
        assert.ok(near(sum, 5), `tags ${sum}`);
      }
      pairs.forEach(({ label }, k) => {
        const own = probabilities.subarray(k * labels.size, (k + 1) * labels.size);
        assert.equal(own[label], Math.max(...own));
        assert.ok(
          near(
            own.reduce((all, value) => all + value, 0),
            labels.size,
          ),
        );
      });
    }
  });

  it('labels a caption independently of the others', () => {
    assert.deepEqual(modelLabeler(model).label(captions.slice(1, 2)), [labeled[1]]);
  });
});
