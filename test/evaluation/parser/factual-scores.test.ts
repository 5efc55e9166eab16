import assert from 'node:assert/strict';
import { parseFactual, printFactual } from '../../../src/evaluation/index.js';
import type { CaptionWords } from '../../../src/evaluation/parser/caption-words.js';
import {
  isSetMatch,
  lemmatizeFactual,
  spiceScore,
  spiceTuples,
} from '../../../src/evaluation/parser/factual-scores.js';

/** Removes a final `s`, and has two sets of synonyms. */
const words: CaptionWords = {
  lemma: (word) => word.replace(/s$/, ''),
  meanings: (phrase) =>
    new Set(
      [
        ['cup', 'mug'],
        ['cup', 'trophy'],
      ]
        .flatMap((set, k) => (set.includes(phrase) ? [`${k}`] : []))
        .concat(phrase),
    ),
};
const matches = (a: string, b: string) => isSetMatch(parseFactual(a), parseFactual(b));
const exact = (a: string, b: string) => spiceScore(parseFactual(a), parseFactual(b));
const score = (a: string, b: string) => spiceScore(parseFactual(a), parseFactual(b), words);

describe('lemmatized', () => {
  it('replaces every word except is', () => {
    const graph = parseFactual('( bus stops , is near , dogs ) , ( dogs , is , wets )');
    assert.equal(printFactual(lemmatizeFactual(graph, words)), '( bu stop , is near , dog ) , ( dog , is , wet )');
  });
});

describe('isSetMatch', () => {
  it('requires the same facts in any order', () => {
    assert.ok(matches('( a , on , b ) , ( a , is , red )', '( a , is , red ) , ( a , on , b ) , ( a , on , b )'));
    assert.ok(matches('', ''));
    assert.ok(!matches('( a , on , b )', '( a , on , b ) , ( a , is , red )'));
    assert.ok(!matches('( a , on , b )', '( b , on , a )'));
    assert.ok(!matches('( a , is , red ) , ( a )', '( a , is , red )'));
    assert.ok(!matches('( cup )', '( mug )'));
  });
});

describe('spiceTuples', () => {
  it('returns every entity once, and the facts, sorted by their words', () => {
    assert.deepEqual(spiceTuples(parseFactual('( man , ride , horse ) , ( horse , is , brown ) , ( dog )')), [
      ['dog'],
      ['horse'],
      ['horse', 'brown'],
      ['man'],
      ['man', 'ride', 'horse'],
    ]);
  });
});

describe('spiceScore', () => {
  it('computes the F score over tuples', () => {
    assert.equal(exact('( a , on , b )', '( a , on , b )'), 1);
    // Two of three tuples match two of four: 2 * 2 / (3 + 4).
    assert.equal(exact('( a , in , b )', '( a , on , b ) , ( b , is , red )'), 4 / 7);
    assert.equal(exact('( a )', '( b )'), 0);
  });

  it('scores two empty graphs as 1 and one empty graph as 0', () => {
    assert.equal(exact('', ''), 1);
    assert.equal(score('', '( a )'), 0);
    assert.equal(score('( a )', ''), 0);
  });

  it('matches synonyms only if words are given, part by part', () => {
    assert.equal(exact('( cup , on , table )', '( mug , on , table )'), 1 / 3);
    assert.equal(score('( cup , on , table )', '( mug , on , table )'), 1);
    assert.equal(score('( cup , in , table )', '( mug , on , table )'), 2 / 3);
    assert.equal(score('( mug )', '( trophy )'), 0);
  });

  it('matches equal tuples first and each tuple at most once', () => {
    assert.equal(score('( cup ) , ( mug )', '( mug )'), 2 / 3);
    assert.equal(score('( cup ) , ( mug )', '( cup ) , ( trophy )'), 1 / 2);
    assert.equal(score('( mug ) , ( trophy )', '( cup )'), 2 / 3);
  });
});
