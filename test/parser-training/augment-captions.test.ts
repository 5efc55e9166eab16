import assert from 'node:assert/strict';
import { CaptionAugmenter } from '../../parser-training/augment-captions.js';
import { prepareCaptions } from '../../parser-training/prepare-captions.js';
import { Random } from '../../src/records/random.js';

const gold = [
  ['a man riding a brown horse', '( man , ride , horse ) , ( horse , is , brown )'],
  ['a woman holding a red cup', '( woman , hold , cup ) , ( cup , is , red )'],
  ['a dog on the grass', '( dog , on , grass )'],
  ['a cat under the table', '( cat , under , table )'],
  ['a man walking on the grass', '( man , walk on , grass )'],
  ['the woman has a horse', '( woman , have , horse )'],
].map(([caption, graph]) => ({ caption: caption!, gold: graph! }));
const { examples } = prepareCaptions(gold, { minLabelCount: 1 });
const words = new Set(gold.flatMap(({ caption }) => caption.split(' ')));
const vectors = new Map([...words].map((word, k) => [word, Float32Array.from([Math.cos(k), Math.sin(k)])]));
const captions = (seed: number, count: number) => {
  const augmenter = new CaptionAugmenter(examples, vectors, new Random(seed));
  return Array.from({ length: count }, () => augmenter.next().join(' '));
};

describe('CaptionAugmenter', () => {
  it('replaces phrases, verbs and prepositions by those of other captions', () => {
    const made = captions(1, 400);
    const written = new Set(gold.map(({ caption }) => caption));
    assert.ok(made.some((caption) => written.has(caption)));
    assert.ok(made.filter((caption) => !written.has(caption)).length > 200);
    for (const caption of made) for (const word of caption.split(' ')) assert.ok(words.has(word), caption);
    assert.ok(made.some((caption) => /^a (?:dog|cat|woman|horse|cup|table|grass) riding a/.test(caption)));
    assert.ok(made.some((caption) => /^a man (?:holding|walking) a/.test(caption)));
    assert.ok(made.some((caption) => /^a \w+ under the grass$/.test(caption)));
    assert.ok(
      made.some((caption) => /^a \w+ riding a \w+$/.test(caption)),
      'some attributes are dropped',
    );
    // `has` is not replaced, as it has another form than `riding`.
    assert.ok(!made.some((caption) => /^the \w+ (?:riding|holding|walking)/.test(caption)));
  });

  it('generates the same captions for the same seed', () => {
    assert.deepEqual(captions(3, 50), captions(3, 50));
    assert.notDeepEqual(captions(3, 50), captions(4, 50));
  });
});
