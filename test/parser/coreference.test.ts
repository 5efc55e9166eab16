import assert from 'node:assert/strict';
import { neuralParser, parse, ruleParser, type TextGraph, type TextParser } from '../../src/index.js';
import { headTriplets } from '../support/head-triplets.js';
import { captionedRecord } from '../support/records.js';

const read = (parser: TextParser, caption: string) => parser.parse(caption) as TextGraph;

/** Returns what the words of a caption stand for, as `She → girl (pronoun)`. */
function references(graph: TextGraph, caption: string): string[] {
  return (graph.coreference ?? []).map(({ span, start, end, entities, rule }) => {
    assert.equal(caption.slice(start, end), span);
    return `${span} → ${entities.map((index) => graph.entities[index]!.head).join(' + ')} (${rule})`;
  });
}

/** A caption, what its words stand for, and a relation that follows. */
const cases: readonly (readonly [caption: string, references: readonly string[], relation: string])[] = [
  ['A nurse pushes a cart. She wears a cap.', ['She → nurse (pronoun)'], 'nurse wears cap'],
  ['A boy stands next to a girl. She is holding a kite.', ['She → girl (pronoun)'], 'girl holding kite'],
  ['A goat stands on a hill. The goat is eating grass.', ['goat → goat (same-noun)'], 'goat eating grass'],
  ['A poodle lies on a mat. The dog is next to a bowl.', ['dog → poodle (same-kind)'], 'poodle next to bowl'],
  ['A cook stirs a pot. The man is wearing an apron.', ['man → cook (same-kind)'], 'cook wearing apron'],
  [
    'Two girls are on a lawn. One is flying a kite while the other is eating an apple.',
    ['One → girls (one-of)', 'the other → girls (one-of)'],
    'girls eating apple',
  ],
  ['Three goats are in a pen. One of them is eating hay.', ['One of them → goats (one-of)'], 'goats eating hay'],
  ['A nurse is talking to a pilot. Both are holding cups.', ['Both → nurse + pilot (both)'], 'pilot holding cups'],
  ['A boy and a girl sit on a wall. They are eating apples.', ['They → boy + girl (pronoun)'], 'girl eating apples'],
  ['A fox is in the snow with a bird in its mouth.', ['its → fox (possessive)'], 'fox its mouth'],
];

describe('coreference', () => {
  for (const parser of [ruleParser(), neuralParser()])
    describe(parser.name, () => {
      for (const [caption, expected, relation] of cases)
        it(`${JSON.stringify(caption)}: ${expected.join(', ')}`, () => {
          const graph = read(parser, caption);
          assert.deepEqual(references(graph, caption), expected);
          assert.ok(headTriplets(graph).includes(relation), headTriplets(graph).join('; '));
        });

      it('joins neither of two that the words fit, nor what is related to itself', () => {
        for (const caption of [
          'A man in a suit stands next to a man in a coat. The man holds a cup.',
          'A man is standing next to the man with the hat.',
          'A red bus is under a tree. The other bus is on the bridge.',
          'A woman holds a bag. The blue bag is on the floor, and a red bag is on the shelf.',
        ])
          assert.deepEqual(
            references(read(parser, caption), caption).filter((one) => /(?:man|bus) \(/.test(one)),
            [],
            caption,
          );
      });
    });

  it('merges the phrases of one thing, and what is said twice', () => {
    const graph = read(ruleParser(), 'A boy is riding a pony. The boy is riding the pony. The happy boy has a whip.');
    assert.deepEqual(
      graph.entities.map(({ span }) => span),
      ['boy', 'pony', 'whip'],
    );
    assert.deepEqual(headTriplets(graph), ['boy riding pony', 'boy has whip']);
    assert.deepEqual(
      graph.entities[0]!.attributes.map(({ text }) => text),
      ['happy'],
    );
  });

  it('is left out of the graphs of captions without any', () => {
    assert.equal(read(neuralParser(), 'a nurse pushing a cart next to a window on the left').coreference, undefined);
  });

  it('adds to the relations of sentences and takes none away', () => {
    const sentences = [
      'A nurse is pushing a cart.',
      'Next to her, a boy holds a kite.',
      'The nurse wears a cap.',
      'A dog with a ball in its mouth watches them.',
    ];
    const parser = neuralParser();
    const together = new Set(headTriplets(read(parser, sentences.join(' '))));
    for (const sentence of sentences)
      for (const fact of headTriplets(read(parser, sentence))) assert.ok(together.has(fact), `${fact} of ${sentence}`);
    for (const fact of ['boy next to nurse', 'nurse wears cap']) assert.ok(together.has(fact), fact);
  });

  it('keeps a category that a later phrase names readable as one noun', async () => {
    const caption = 'A hot dog is on a plate. The hot dog is next to a fork.';
    const context = { signal: new AbortController().signal, count: () => undefined };
    const record = { ...captionedRecord([], caption), categories: ['hot dog', 'fork'] };
    const { phrases } = (await parse().spec.apply(record, context)) as { phrases: TextGraph[] };
    assert.deepEqual(references(phrases[0]!, caption), ['hot dog → dog (same-noun)']);
  });
});
