import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { type SchemaName, schemaDocument, type schemas } from './schemas.js';
import type { Static } from './type.js';

/** The TypeScript type of a kind of file: `TypeOf<'scene-graph'>` is `SceneGraph`. */
export type TypeOf<N extends SchemaName> = Static<(typeof schemas)[N]>;

// A test validates the schemas themselves; repeating that here would dominate the time that a command spends on them.
// Verbose, so that a problem with a pattern can be described in words.
const ajv = new Ajv2020({ strict: true, validateSchema: false, verbose: true });
const compiled = new Map<SchemaName, ValidateFunction>();

function validator(name: SchemaName): ValidateFunction {
  let check = compiled.get(name);
  if (!check) {
    check = ajv.compile(schemaDocument(name));
    compiled.set(name, check);
  }
  return check;
}

/**
 * Returns the first problem of `value`, e.g. `/relations/0/confidence must be <= 1`, or null if it fits the schema.
 * Schemas are compiled on first use.
 */
export function schemaProblem(name: SchemaName, value: unknown): string | null {
  const check = validator(name);
  return check(value) ? null : describe(check.errors?.[0]);
}

/** Returns whether `value` fits the schema, as a type guard. */
export function fitsSchema<N extends SchemaName>(name: N, value: unknown): value is TypeOf<N> {
  return validator(name)(value) as boolean;
}

function describe(error: ErrorObject | undefined): string {
  if (!error) return 'does not fit the schema';
  const { description } = (error.parentSchema ?? {}) as { readonly description?: string };
  if (error.keyword === 'pattern' && description !== undefined)
    return `${error.instancePath || 'the value'} must be ${description}`;
  const extra = error.keyword === 'additionalProperties' ? ` ('${error.params['additionalProperty']}')` : '';
  return `${error.instancePath || 'the value'} ${error.message ?? 'does not fit the schema'}${extra}`;
}
