import assert from 'node:assert/strict';
import { OptionError } from '../../src/index.js';
import { parseRelationExpression, relationTest } from '../../src/sinks/relation-expression.js';
import { threeRelations } from '../support/three-relations.js';

const graph = threeRelations();

/** Returns the predicates of the relations for which an expression holds. */
function kept(expression: string): string[] {
  const test = relationTest(parseRelationExpression(expression, 'where'));
  return graph.relations.filter((relation) => test(relation, graph)).map(({ predicate }) => predicate);
}

describe('relation expressions', () => {
  it('compare fields of a relation and of its image', () => {
    assert.deepEqual(kept('confidence >= 0.5'), ['riding', 'smiling']);
    assert.deepEqual(kept('0.5 > confidence'), ['next to']);
    assert.deepEqual(kept('predicate != "riding" and subject = "person"'), ['next to', 'smiling']);
    assert.deepEqual(kept("predicate in ['riding', \"on\"] or object = ''"), ['riding', 'smiling']);
    assert.deepEqual(kept('not predicate = "riding" and confidence < 1'), ['next to']);
    assert.deepEqual(kept('predicate NOT IN ["riding"] AND width >= 640'), ['next to', 'smiling']);
    assert.deepEqual(kept('predicate like "%ING" and image = 7'), ['riding', 'smiling']);
    assert.deepEqual(kept('not (predicate like "next%" or confidence = 1)'), ['riding']);
    assert.deepEqual(kept('object_score > 0.8'), ['riding', 'next to', 'smiling']);
  });

  it('that cannot be read are refused with what was expected', () => {
    const problems: Record<string, RegExp> = {
      '': /expected a comparison/,
      'predicates = "on"': /unknown field 'predicates', expected one of predicate, subject/,
      'confidence > "x"': /found "x", expected a number for 'confidence'/,
      'predicate = on': /found 'on', expected a text in quotation marks for 'predicate'/,
      confidence: /expected a comparison/,
      'predicate in "on"': /'in' needs a list/,
      'confidence like "a"': /expected a number/,
      'predicate = "on" extra': /several expressions/,
      'constructor("x")()': /expected a comparison/,
      'predicate.constructor = "x"': /expected the name of a field/,
      '__proto__ = "x"': /unknown field/,
      'predicate = `on`': /in 'predicate = `on`'/,
      [`${'('.repeat(20_000)}`]: /more than 10,000 characters/,
    };
    for (const [expression, message] of Object.entries(problems))
      assert.throws(
        () => parseRelationExpression(expression, 'where'),
        (error) => error instanceof OptionError && message.test(error.message),
        expression.slice(0, 40),
      );
  });
});
