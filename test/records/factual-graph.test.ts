import assert from 'node:assert/strict';
import { type FactualGraph, parseFactual, printFactual, toFactual } from '../../src/evaluation/index.js';
import type { TextGraph } from '../../src/index.js';
import { factualProblem } from '../../src/records/factual-graph.js';

const reprint = (text: string) => printFactual(parseFactual(text));
const EMPTY: FactualGraph = { relations: [], attributes: [], entities: [] };

describe('parseFactual', () => {
  it('reads relations, attributes and entities', () => {
    assert.deepEqual(parseFactual('( man , ride , horse ) , ( horse , is , brown ) , ( dog )'), {
      relations: [{ subject: 'man', predicate: 'ride', object: 'horse' }],
      attributes: [{ entity: 'horse', attribute: 'brown' }],
      entities: ['dog'],
    });
  });

  it('accepts any spacing, attributes of two parts, facts of more than three parts, and missing brackets', () => {
    assert.equal(reprint('(man,ride,horse),(dog)'), '( man , ride , horse ) , ( dog )');
    assert.equal(reprint('( horse , brown )'), '( horse , is , brown )');
    assert.equal(reprint('( man , sit , on top of , horse )'), '( man , sit on top of , horse )');
    assert.equal(reprint('( man , is , next to , horse )'), '( man , is next to , horse )');
    assert.equal(reprint('man , ride ,  big   horse ) , ( dog'), '( man , ride , big horse ) , ( dog )');
  });

  it('removes duplicate and empty facts', () => {
    assert.equal(reprint('( dog ) , ( ) , ( dog ) , ( dog , is , wet ) , (dog,wet)'), '( dog , is , wet ) , ( dog )');
    for (const text of ['', '  ', '( )', '( , , )']) assert.deepEqual(parseFactual(text), EMPTY);
  });
});

describe('factualProblem', () => {
  it('returns the reason why a text is not in the format', () => {
    assert.equal(factualProblem(' ( man , ride , horse ),(dog) '), undefined);
    assert.equal(factualProblem(' '), 'no facts');
    for (const text of ['dog', '( dog', '( dog ) ( cat )', '( ( dog ) )', '( dog ) ,'])
      assert.equal(factualProblem(text), 'brackets that do not separate facts');
    assert.equal(factualProblem('( man , , horse )'), 'a fact with an empty part');
  });
});

describe('toFactual', () => {
  const entity = (span: string, more: Partial<TextGraph['entities'][number]> = {}) => ({
    span,
    start: 0,
    end: span.length,
    head: span,
    lemma: span,
    attributes: [],
    ...more,
  });
  const line = (entities: TextGraph['entities'], relations: TextGraph['relations'] = []) =>
    printFactual(toFactual({ entities, relations }));

  it('prefers names to spans, and uses lemmas', () => {
    const phone = entity('Cell phones', { name: 'cellphone', attributes: [{ text: 'Red', lemma: 'red' }] });
    assert.equal(
      line([entity('MAN'), phone], [{ subject: 0, object: 1, predicate: 'holding', lemma: 'hold' }]),
      '( man , hold , cellphone ) , ( cellphone , is , red )',
    );
  });

  it('writes numbers as digits and collective nouns with "of"', () => {
    const quantities = {
      two: '2',
      Twelve: '12',
      '3': '3',
      several: 'several',
      group: 'group of',
      'pair of': 'pair of',
    };
    for (const [quantity, attribute] of Object.entries(quantities))
      assert.equal(line([entity('dog', { quantity })]), `( dog , is , ${attribute} )`);
  });

  it('lists only entities that no fact mentions, and removes duplicates', () => {
    const facing = { subject: 0, object: 0, predicate: 'facing', lemma: 'face' };
    assert.equal(line([entity('dog'), entity('cat'), entity('cat')]), '( dog ) , ( cat )');
    assert.equal(line([entity('dog'), entity('dog')], [facing, facing]), '( dog , face , dog )');
    assert.equal(line([]), '');
  });

  it('removes the punctuation of the format from words', () => {
    assert.equal(line([entity('a (b), c')]), '( a b c )');
  });
});
