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

describe('a model that labels captions', () => {
  const labelled = modelLabeler(model).label(captions);
  const { labels } = decodeModel(model, new ParserKernels(64 << 20));

  it('says of them what the parser says', () => {
    const saysOf = ({ words, mentions, pairs, owners, attributes }: TrainingExample) => ({
      things: mentions.map(({ start, end }) => words.slice(start, end).join(' ')),
      related: pairs.filter(({ label }) => label > 0).map(({ first, second }) => [first, second]),
      said: owners
        .filter(({ owns }) => owns)
        .map(({ attribute, mention }) => [words[attributes[attribute]!.start], mention]),
    });
    const parser = neuralParser({ minConfidence: 0 });
    assert.deepEqual(
      labelled.map(saysOf),
      captions.map((words) => {
        const { entities, relations } = parser.parse(words.join(' ')) as TextGraph;
        return {
          things: entities.map(({ span }) => span),
          related: relations.map(({ subject, object }) => [Math.min(subject, object), Math.max(subject, object)]),
          said: entities.flatMap(({ attributes, quantity }, mention) =>
            [...attributes.map(({ text }) => text), ...(quantity ? [quantity] : [])].map((text) => [text, mention]),
          ),
        };
      }),
    );
  });

  it('believes in what it says, with probabilities that sum to one', () => {
    for (const { soft, pairs, words } of labelled) {
      const { tags, labels: beliefs } = soft!;
      const near = (sum: number, parts: number) => Math.abs(sum - 255) <= parts / 2;
      for (let t = 0; t < words.length; t++) {
        const sum = tags.subarray(5 * t, 5 * (t + 1)).reduce((all, value) => all + value, 0);
        assert.ok(near(sum, 5), `tags ${sum}`);
      }
      pairs.forEach(({ label }, k) => {
        const own = beliefs.subarray(k * labels.size, (k + 1) * labels.size);
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

  it('does not depend on what else is asked at once', () => {
    assert.deepEqual(modelLabeler(model).label(captions.slice(1, 2)), [labelled[1]]);
  });
});
