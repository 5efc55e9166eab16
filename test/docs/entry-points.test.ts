import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/package-info.js';

interface PublicName {
  readonly name: string;
  readonly file: string;
}

const DOORS = [
  'src/index.ts',
  'src/model/index.ts',
  'src/training/index.ts',
  'src/evaluation/index.ts',
  'src/endpoints/index.ts',
  'src/queue/index.ts',
];

function namesOf(door: string): PublicName[] {
  const text = readFileSync(join(packageRoot, door), 'utf8');
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(([, names, from]) =>
    names!
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter(Boolean)
      .map((name) => ({ name, file: join(dirname(door), from!.replace(/\.js$/, '.ts')) })),
  );
}

/** The doc comment of a declaration, or null. */
function docOf({ name, file }: PublicName): string | null {
  const text = readFileSync(join(packageRoot, file), 'utf8');
  const declared = new RegExp(
    `^export (?:default )?(?:abstract )?(?:async )?(?:function\\*?|const|class|interface|type) ${name}\\b`,
    'm',
  ).exec(text);
  // A name that the file passes on from a package is documented there.
  if (!declared && new RegExp(`^export (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '[^.]`, 'm').test(text)) return '';
  assert.ok(declared, `${name} is not declared in ${file}`);
  const before = text.slice(0, declared.index).trimEnd();
  return before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : null;
}

/** Rooms whose functions people write into pipelines. */
const COMPOSED = /^src\/(?:operators|sources|sinks|taggers|captioners|parser)\/|^src\/model\/tagger\/r-tagger\.ts/;

describe('the entry points', () => {
  for (const door of DOORS)
    it(`${door}: every name has a doc comment`, () => {
      const bare = namesOf(door).filter((name) => docOf(name) === null);
      assert.deepEqual(
        bare.map(({ name, file }) => `${name} (${file})`),
        [],
      );
    });

  it('operators, sources, sinks, captioners, parsers and taggers have an example', () => {
    const bare = DOORS.flatMap(namesOf)
      .filter(({ name, file }) => COMPOSED.test(file) && /^[a-z]/.test(name))
      .filter((name) => !docOf(name)?.includes('@example'));
    assert.deepEqual(
      bare.map(({ name, file }) => `${name} (${file})`),
      [],
    );
  });

  it('use a name for one thing only', () => {
    const homes = new Map<string, Set<string>>();
    for (const { name, file } of DOORS.flatMap(namesOf)) homes.set(name, (homes.get(name) ?? new Set()).add(file));
    const twice = [...homes]
      .filter(([, files]) => files.size > 1)
      .map(([name, files]) => `${name}: ${[...files].join(', ')}`);
    assert.deepEqual(twice, []);
  });
});
