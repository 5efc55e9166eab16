/**
 * Builders of JSON Schemas. They have TypeBox's types and produce the same schemas, which test/records/type.test.ts
 * checks. TypeBox itself is not loaded: its 370 files took a third of the start-up time of every command.
 */
import type TypeBox from 'typebox';

export type { Static, TObject, TSchema } from 'typebox';

type Schema = Readonly<Record<string, unknown>>;

/** Marks optional properties. A symbol and not a key, because JSON Schema has no such keyword. */
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

/**
 * Builds JSON Schemas with TypeBox's interface. `Static<typeof schema>` is the TypeScript type of the values that fit.
 *
 * @example
 * ```ts
 * import { type Static, Type } from 'relflow';
 *
 * const schema = Type.Object({
 *   name: Type.String({ minLength: 1 }),
 *   limit: Type.Optional(Type.Integer({ minimum: 1, description: 'stop after this many images' })),
 * });
 * const options: Static<typeof schema> = { name: 'coco' };
 * ```
 */
export const Type = builders as unknown as Pick<typeof TypeBox, keyof typeof builders>;
