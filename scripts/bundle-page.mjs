// Bundles the page of `relflow view` (src/view/page) into a folder, so that the package carries it and the page loads nothing
// from elsewhere: page.js, page.css, index.html, icon.svg, and the licenses of the bundled packages.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @param {string} folder where to write; made if it does not exist */
export async function bundlePage(folder) {
  const { metafile } = await build({
    entryPoints: { page: 'src/view/page/main.tsx' },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    tsconfig: 'src/view/page/tsconfig.json',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  mkdirSync(folder, { recursive: true });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join('src/view/page', name), join(folder, name));
  writeFileSync(join(folder, 'licenses.txt'), licensesOf(Object.keys(metafile.inputs)));
}

/** Returns the license texts of the packages that the files of a bundle belong to. */
function licensesOf(files) {
  const names = files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  const packages = [...new Set(names.filter((name) => name !== undefined))].sort();
  return packages
    .map((name) => `${name}\n\n${readFileSync(join('node_modules', name, 'LICENSE'), 'utf8').trim()}\n`)
    .join('\n----\n\n');
}
