/**
 * Builders of JSON Schema. Types are TypeBox's, and so is what they build, which test/records/type.test.ts sees to; loading
 * TypeBox itself, in 370 files, was a third of the start of every command.
 */
import type TypeBox from 'typebox';

export type { Static, TObject, TSchema } from 'typebox';

type Schema = Readonly<Record<string, unknown>>;

/** Properties that an object may lack; hidden, as they are no keyword of JSON Schema. */
const optional = Symbol('optional');

const simple =
  (type: string) =>
  (options: Schema = {}): Schema => ({ type, ...options });

const builders = {
  Array: (items: Schema, options: Schema = {}): Schema => ({ type: 'array', items, ...options }),
  Boolean: simple('boolean'),
  Integer: simple('integer'),
  Literal: (value: string | number | boolean, options: Schema = {}): Schema => ({
    type: typeof value,
    const: value,
    ...options,
  }),
  Null: simple('null'),
  Number: simple('number'),
  Object: (properties: Readonly<Record<string, Schema>>, options: Schema = {}): Schema => {
    const required = Object.keys(properties).filter((key) => !Object.hasOwn(properties[key]!, optional));
    return { type: 'object', ...(required.length > 0 && { required }), properties, ...options };
  },
  Optional: (schema: Schema): Schema => Object.defineProperty({ ...schema }, optional, { value: true }),
  Record: (_key: Schema, value: Schema, options: Schema = {}): Schema => ({
    type: 'object',
    patternProperties: { '^.*$': value },
    ...options,
  }),
  String: simple('string'),
  Union: (anyOf: readonly Schema[], options: Schema = {}): Schema => ({ anyOf, ...options }),
  Unknown: (options: Schema = {}): Schema => ({ ...options }),
  Unsafe: (schema: Schema): Schema => ({ ...schema }),
};

/** Makes JSON Schemas: `Type.Object({ name: Type.String() })`; `Static<typeof schema>` is the type of what fits one. */
export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>;
