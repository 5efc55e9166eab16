// npm run schemas writes schemas/*.schema.json from the schemas in src/records.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../src/package-info.js';
import { type SchemaName, schemaDocument, schemas } from '../src/records/schemas.js';

const folder = join(packageRoot, 'schemas');
mkdirSync(folder, { recursive: true });
for (const name of Object.keys(schemas) as SchemaName[]) {
  writeFileSync(join(folder, `${name}.schema.json`), `${JSON.stringify(schemaDocument(name), null, 2)}\n`);
}
