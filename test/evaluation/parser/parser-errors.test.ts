import assert from 'node:assert/strict';
import { parseFactual } from '../../../src/evaluation/index.js';
import { parserErrors } from '../../../src/evaluation/parser/parser-errors.js';

const errors = (predicted: string, gold: string) =>
  [...parserErrors(parseFactual(predicted), parseFactual(gold))].sort();

describe('parserErrors', () => {
  const cases: Record<string, [predicted: string, gold: string, errors: string[]][]> = {
    'finds nothing in equal graphs': [['( a , on , b )', '( a , on , b )', []]],
    'distinguishes wrong boundaries from other entities': [
      ['( face , on , tower )', '( clock face , on , tower )', ['entity-boundary']],
      ['( cat , on , tower )', '( dog , on , tower )', ['entity-missing', 'entity-spurious']],
      ['( a )', '( a ) , ( b )', ['entity-missing']],
      ['( a ) , ( b )', '( a )', ['entity-spurious']],
    ],
    'does not count consequences of a wrong entity': [
      ['( man )', '( man , ride , horse ) , ( horse , is , brown )', ['entity-missing']],
      ['( man , ride , horse ) , ( horse , is , 2 )', '( man )', ['entity-spurious']],
      ['( red cup )', '( cup , is , red )', ['entity-boundary']],
      ['( cup , is , paper )', '( paper cup )', ['entity-boundary']],
      ['( red cup )', '( cup , is , big )', ['attribute-missing', 'entity-boundary']],
    ],
    'reports errors of relations': [
      ['( a ) , ( b )', '( a , on , b )', ['relation-missing']],
      ['( a , on , b )', '( a ) , ( b )', ['relation-spurious']],
      ['( a , in , b )', '( a , on , b )', ['relation-label']],
      ['( b , on , a )', '( a , on , b )', ['direction-reversed']],
      ['( b , have , a )', '( a , on , b )', ['direction-reversed']],
      ['( a , on , c ) , ( a , by , b )', '( b , on , c ) , ( a , by , b )', ['relation-attachment']],
      ['( a , on , b ) , ( a , in , c )', '( a , on , b ) , ( b , by , c )', ['relation-missing', 'relation-spurious']],
    ],
    'reports errors of attributes': [
      ['( a )', '( a , is , red )', ['attribute-missing']],
      ['( a , is , red )', '( a )', ['attribute-spurious']],
      ['( a , on , b ) , ( a , is , red )', '( a , on , b ) , ( b , is , red )', ['attribute-attachment']],
      ['( a , is , dark red )', '( a , is , red )', ['attribute-missing', 'attribute-spurious']],
    ],
    'reports errors of quantities separately': [
      ['( a )', '( a , is , 2 )', ['quantity']],
      ['( a , is , group of )', '( a )', ['quantity']],
      ['( a , on , b ) , ( a , is , 2 )', '( a , on , b ) , ( b , is , 2 )', ['quantity']],
    ],
  };
  for (const [what, rows] of Object.entries(cases)) {
    it(what, () => {
      for (const [predicted, gold, expected] of rows)
        assert.deepEqual(errors(predicted, gold), expected, `${predicted} for ${gold}`);
    });
  }
});
