import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';
import { schemaProblem } from '../../src/records/schema-problem.js';
import { type SchemaName, schemaDocument, schemas } from '../../src/records/schemas.js';
import { sceneGraph } from '../support/records.js';

describe('schemas', () => {
  const folder = join(packageRoot, 'schemas');

  it('equal the files in schemas/ (run `npm run schemas` after a change)', () => {
    const names = Object.keys(schemas).map((name) => `${name}.schema.json`);
    assert.deepEqual(readdirSync(folder).sort(), names.sort());
    for (const name of Object.keys(schemas) as SchemaName[]) {
      const file: unknown = JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8'));
      assert.deepEqual(file, JSON.parse(JSON.stringify(schemaDocument(name))), name);
    }
  });

  it('are JSON Schema 2020-12, each with a title', () => {
    for (const name of Object.keys(schemas) as SchemaName[]) {
      const document = schemaDocument(name);
      assert.equal(document['$schema'], 'https://json-schema.org/draft/2020-12/schema');
      assert.equal(typeof document['title'], 'string', name);
    }
  });

  it('accept a scene graph', () => {
    assert.equal(schemaProblem('scene-graph', sceneGraph()), null);
  });

  it('report the problem and its path', () => {
    const graph = sceneGraph();
    const wrong = (change: object) => schemaProblem('scene-graph', { ...graph, ...change });
    assert.equal(wrong({ captions: undefined }), "the value must have required property 'captions'");
    assert.equal(wrong({ mood: 'good' }), "the value must NOT have additional properties ('mood')");
    assert.equal(
      wrong({ relations: [{ subject: 0, object: 1, predicate: 'on', confidence: 2 }] }),
      '/relations/0/confidence must be <= 1',
    );
    assert.equal(
      wrong({ objects: [{ id: 1, category: 'dog', box: [1, 2, 3] }] }),
      '/objects/0/box must NOT have fewer than 4 items',
    );
  });
});
