import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference, REFERENCE_START } from '../../scripts/cli-reference.js';
import { packageRoot } from '../../src/package-info.js';

describe('docs/cli.md', () => {
  it('is what every command prints with --help; npm run docs:cli writes it', async () => {
    const [introduction, reference] = readFileSync(join(packageRoot, 'docs', 'cli.md'), 'utf8').split(REFERENCE_START);
    assert.equal(reference, `\n\n${await cliReference()}`);
    for (const topic of ['Exit codes', 'Configuration files', 'Completion', 'Progress', 'Colors', 'Environment'])
      assert.match(introduction!, new RegExp(`^## ${topic}$`, 'm'));
  });

  it('has an example of every command', async () => {
    const sections = (await cliReference()).split(/^## /m).slice(1);
    assert.ok(sections.length > 40);
    assert.deepEqual(
      sections.filter((text) => !/^Examples?:$/m.test(text)).map((text) => text.split('\n')[0]),
      [],
    );
  });
});
