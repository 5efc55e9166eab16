import assert from 'node:assert/strict';
import { captionSentences } from '../../../src/parser/language/caption-sentences.js';
import { readRules } from '../../../src/parser/rules/rule-parser.js';

/** Returns what supports a phrase as the subject of another, by the last words of both. */
function supportOf(caption: string, subject: string, object: string) {
  const { graph, readings, supportOf: found } = readRules(caption, captionSentences(caption));
  const [from, to] = [subject, object].map((word) => graph.entities.findIndex(({ head }) => head === word)) as [
    number,
    number,
  ];
  const k = graph.relations.findIndex((one) => one.subject === from && one.object === to);
  return found(from, to, readings[k])!;
}

describe('scores of subjects', () => {
  for (const [caption, object, subject, other] of [
    ['a boy feeding ducks from a boat', 'ducks', 'boy', undefined],
    ['A plumber under a sink holds a wrench.', 'wrench', 'plumber', 'sink'],
    ['a girl in a raincoat walking a poodle', 'poodle', 'girl', 'raincoat'],
    ['A nurse stands next to a bed that is covered with a blanket.', 'blanket', 'bed', 'nurse'],
    ['A cat sleeps on a sofa while a child draws a picture.', 'picture', 'child', 'cat'],
    ['a shelf with jars of jam and a clock on the wall', 'jam', 'jars', 'shelf'],
  ] as const)
    it(`prefer "${subject}" for "${object}" in "${caption}"`, () => {
      const { own } = supportOf(caption, subject, object);
      assert.ok(own > 0.5, `${own}`);
      if (other) assert.ok(supportOf(caption, other, object).own < own / 2);
    });

  it('are of a pronoun in the place of the object, which it does not have as a subject itself', () => {
    const { own, rival } = supportOf('The nurse holds a cup in front of her.', 'cup', 'nurse');
    assert.ok(own > rival);
  });

  it('share the probability of phrases with the same relation', () => {
    const { own, shared } = supportOf('A fork and a knife are lying on a plate.', 'knife', 'plate');
    assert.ok(shared > 0.9 && shared >= own);
  });

  it('tell whose the object is, or what it is at', () => {
    const caption = 'A waiter leans over a counter with a bottle in his hand.';
    assert.equal(supportOf(caption, 'waiter', 'bottle').isOwner, true);
    assert.equal(supportOf(caption, 'counter', 'bottle').isOwner, false);
    assert.equal(supportOf(caption, 'waiter', 'counter').isOwner, undefined);
  });
});
