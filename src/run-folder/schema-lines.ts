import { InputError } from '../errors.js';
import { jsonLines } from '../files/json/json-lines.js';
import { schemaProblem, type TypeOf } from '../records/schema-problem.js';
import type { SchemaName } from '../records/schemas.js';

/**
 * Yields the lines of a JSONL file, each checked against a schema.
 * @throws InputError naming the file and the line that does not fit the schema
 */
export async function* schemaLines<N extends SchemaName>(file: string, schema: N): AsyncGenerator<TypeOf<N>, void> {
  for await (const { value, line } of jsonLines(file)) {
    const problem = schemaProblem(schema, value);
    if (problem !== null) throw new InputError(file, `line ${line}: ${problem}`);
    yield value as TypeOf<N>;
  }
}
