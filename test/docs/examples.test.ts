import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import glob from 'fast-glob';
import { packageRoot } from '../../src/package-info.js';
import { command } from '../support/build.js';

interface Example {
  readonly from: string;
  readonly code: string;
}

/** The code blocks of `@example` in doc comments, and the complete ones of the docs: those that import relflow. */
async function examples(): Promise<Example[]> {
  const found: Example[] = [];
  for (const file of await glob(['src/**/*.ts', 'README.md', 'docs/*.md'], { cwd: packageRoot })) {
    const text = await readFile(join(packageRoot, file), 'utf8');
    const block = file.endsWith('.md') ? /^```ts\n([\s\S]*?)^```/gm : /@example\n\s*\* ```ts\n([\s\S]*?)\s*\* ```/g;
    for (const match of text.matchAll(block)) {
      const code = match[1]!.replace(/^ *\* ?/gm, file.endsWith('.md') ? '$&' : '');
      const line = text.slice(0, match.index).split('\n').length;
      if (!file.endsWith('.md') || /from 'relflow/.test(code)) found.push({ from: `${file}:${line}`, code });
    }
  }
  return found.sort((a, b) => (a.from < b.from ? -1 : 1));
}

/** The entry points as TypeScript's `paths`, so that examples import `relflow` as it is compiled. */
async function entryPaths(): Promise<Record<string, string[]>> {
  const { exports } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as {
    exports: Record<string, { types?: string }>;
  };
  return Object.fromEntries(
    Object.entries(exports).flatMap(([door, { types }]) =>
      types ? [[`relflow${door.slice(1)}`, [join(packageRoot, types)]]] : [],
    ),
  );
}

describe('the examples of doc comments, README and docs', () => {
  it('compile', async () => {
    command();
    const all = await examples();
    assert.ok(all.length > 30, `only ${all.length} examples were found`);
    const folder = await mkdtemp(join(tmpdir(), 'relflow-examples-'));
    try {
      await symlink(join(packageRoot, 'node_modules'), join(folder, 'node_modules'));
      const names = all.map(({ from }) => `${from.replaceAll(/[/:.]/g, '_')}.ts`);
      // `export {}` makes a module of an example that imports nothing.
      for (const [index, { code }] of all.entries())
        await writeFile(join(folder, names[index]!), `${code}\nexport {};\n`);
      await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
      await writeFile(
        join(folder, 'tsconfig.json'),
        JSON.stringify({
          extends: join(packageRoot, 'tsconfig.json'),
          compilerOptions: {
            rootDir: '/',
            paths: await entryPaths(),
            types: ['node'],
            typeRoots: [join(packageRoot, 'node_modules/@types')],
          },
          include: ['*.ts'],
          exclude: [],
        }),
      );
      const problems = await new Promise<string>((resolve) => {
        const tsc = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');
        execFile(process.execPath, [tsc, '-p', folder], { maxBuffer: 1 << 26 }, (_, stdout) => resolve(stdout));
      });
      const named = names.reduce((text, name, index) => text.replaceAll(name, all[index]!.from), problems);
      assert.equal(named, '');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
