import assert from 'node:assert/strict';
import TypeBox from 'typebox';
import { Type } from '../../src/index.js';

describe('Type', () => {
  const everything = (t: typeof Type) =>
    t.Object(
      {
        name: t.String({ pattern: '^[a-z]+$' }),
        count: t.Optional(t.Integer({ minimum: 0, default: 3 })),
        share: t.Number(),
        isCrowd: t.Optional(t.Boolean({ description: 'a group' })),
        kind: t.Union([t.Literal('a'), t.Literal(2), t.Literal(true), t.Null()], { default: null }),
        rows: t.Array(t.Object({}), { minItems: 1 }),
        byName: t.Record(t.String(), t.Array(t.Number()), { minProperties: 1 }),
        raw: t.Unsafe<{ x: number }>({ type: 'object', required: ['x'] }),
        rest: t.Optional(t.Unknown({ description: 'whatever it is' })),
      },
      { additionalProperties: false, title: 'Everything' },
    );

  it('builds the same schemas as TypeBox', () => {
    assert.equal(JSON.stringify(everything(Type)), JSON.stringify(everything(TypeBox)));
  });

  it('allows a schema to be optional in one object and required in another', () => {
    const name = Type.String();
    const of = (t: typeof Type) => t.Object({ a: t.Object({ name: t.Optional(name) }), b: t.Object({ name }) });
    assert.equal(JSON.stringify(of(Type)), JSON.stringify(of(TypeBox)));
  });
});
