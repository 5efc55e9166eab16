import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { packageRoot } from '../../package-info.js';

/** Where the build puts the bundled page: `index.html` and the files that it names, in one folder. */
const PAGE_FOLDER = join(packageRoot, 'dist', 'src', 'view', 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** A file of the page. */
export interface PageFile {
  readonly content: Buffer;
  readonly type: string;
}

/** Reads the files of the page by name; none if the package was not built. */
export async function readPageFiles(folder = PAGE_FOLDER): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const known = names.filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(
    await Promise.all(
      known.map(async (name) => {
        const file = { content: await readFile(join(folder, name)), type: TYPES[extname(name)]! };
        return [name, file] as const;
      }),
    ),
  );
}
