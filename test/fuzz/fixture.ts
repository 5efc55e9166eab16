import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './fuzz-reader.js';
import type { Files } from './reader.js';

/** The folder of inputs that once failed, `<reader>/<digest>.json`. */
export const fixtures = 'fixtures/fuzz';

/** Keeps an input that fails. @returns its path */
export function keepInput(reader: string, { problem, files }: Finding): string {
  const written = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]));
  const digest = createHash('sha256').update(JSON.stringify(written)).digest('hex').slice(0, 12);
  const path = join(fixtures, reader, `${digest}.json`);
  mkdirSync(join(fixtures, reader), { recursive: true });
  const [summary] = problem.split('\n');
  writeFileSync(path, `${JSON.stringify({ problem: summary, files: written }, null, 2)}\n`);
  return path;
}

/** Returns the inputs that are kept: their reader, path and files. */
export function keptInputs(): { readonly reader: string; readonly path: string; readonly files: Files }[] {
  return readdirSync(fixtures, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: reader }) =>
      readdirSync(join(fixtures, reader))
        .sort()
        .map((name) => {
          const path = join(fixtures, reader, name);
          const { files } = JSON.parse(readFileSync(path, 'utf8')) as { files: Record<string, string> };
          const decoded = Object.entries(files).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const);
          return { reader, path, files: Object.fromEntries(decoded) };
        }),
    );
}
