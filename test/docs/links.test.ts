import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/package-info.js';

/** The files of the package as `npm publish` would pack them. */
async function packedFiles(): Promise<Set<string>> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const { stdout } = await promisify(execFile)('npm', args, { cwd: packageRoot, maxBuffer: 1 << 26 });
  const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[];
  return new Set(packed!.files.map(({ path }) => path));
}

/** Anchors of a Markdown page, as GitHub makes them of its headings. */
function anchors(page: string): Set<string> {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
  return new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => slug(heading!)));
}

describe('the packed documentation', () => {
  it('has the license, the notice and the changes, and no dead link', async () => {
    const files = await packedFiles();
    for (const path of ['NOTICE', 'LICENSE', 'CHANGELOG.md']) assert.ok(files.has(path), path);
    const pages = [...files].filter((file) => file.endsWith('.md'));
    assert.ok(pages.includes('README.md') && pages.some((page) => page.startsWith('docs/')));
    const dead: string[] = [];
    for (const page of pages) {
      const text = (await readFile(join(packageRoot, page), 'utf8')).replace(/^```[\s\S]*?^```/gm, '');
      for (const [, link] of text.matchAll(/(?:\]\(|src="|href=")([^)"\s]+)/g)) {
        if (/^[a-z]+:/.test(link!)) continue;
        const [path = '', anchor] = link!.split('#');
        const target = path === '' ? page : posix.join(posix.dirname(page), path);
        const isFolder = [...files].some((file) => file.startsWith(`${target.replace(/\/$/, '')}/`));
        if (!files.has(target) && !isFolder) dead.push(`${page}: ${link}`);
        else if (anchor !== undefined && target.endsWith('.md')) {
          if (!anchors(await readFile(join(packageRoot, target), 'utf8')).has(anchor)) dead.push(`${page}: ${link}`);
        }
      }
    }
    assert.deepEqual(dead, []);
  });
});
