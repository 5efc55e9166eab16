import assert from 'node:assert/strict';
import { parseRelationExpression } from '../../../src/sinks/relation-expression.js';
import { problemPlace } from '../../../src/view/page/filter/problem-place.js';

/** Returns the part of an expression that its error is about. */
function wrongPart(text: string): string | null {
  try {
    parseRelationExpression(text, 'where');
  } catch (error) {
    const { message, place } = problemPlace((error as Error).message, text);
    assert.ok(!message.includes(text), message);
    return place && text.slice(place.start, place.end);
  }
  return assert.fail(`${text} is right`);
}

describe('problemPlace', () => {
  it('finds what an error of an expression is about', () => {
    assert.equal(wrongPart('confidence >= 0.5 and wrong = 1'), 'wrong');
    assert.equal(wrongPart('confidence >= high'), 'high');
    assert.equal(wrongPart('confidence >= 0.5 and conf = 1'), 'conf');
    assert.equal(wrongPart('predicate = "on" ** 2'), null);
  });

  it('finds the character that the parser names, also after the last one', () => {
    const { place } = problemPlace('Expected expression after >= at character 14', 'confidence >= ');
    assert.deepEqual(place, { start: 14, end: 15 });
    assert.equal(problemPlace('wrong', 'abcdef').place, null);
  });
});
