import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { InputError } from '../../src/errors.js';
import { inputFiles } from '../../src/files/input-files.js';
import { coco } from '../../src/sources/coco.js';
import { visualGenome } from '../../src/sources/visual-genome.js';
import { temporaryFolder } from '../support/folders.js';

const folder = temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
for (const file of ['a1/f.json', 'a[1]/f.json', 'b(x)/f.json', 'b(x)/deep/g.json', '{c}/[2].json', '{c}/2.json']) {
  mkdirSync(dirname(at(file)), { recursive: true });
  writeFileSync(at(file), '');
}

/** Returns the files that match a pattern, as paths relative to the folder, or the error message. */
async function found(pattern: string): Promise<readonly string[] | string> {
  try {
    return (await coco({ annotations: at(pattern) }).files()).map((file) => relative(folder, file));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.message.replace(at(pattern), 'it');
  }
}

describe('inputFiles', () => {
  it('takes an existing path literally, even with special characters of globs', async () => {
    for (const file of ['a[1]/f.json', 'b(x)/f.json', '{c}/[2].json']) assert.deepEqual(await found(file), [file]);
    assert.equal(await found('a[1]/none.json'), 'it: no such file');
  });

  it('takes existing folders at the start of a glob literally', async () => {
    assert.deepEqual(await found('a[1]/*.json'), ['a[1]/f.json']);
    assert.deepEqual(await found('b(x)/*.json'), ['b(x)/f.json']);
    assert.deepEqual(await found('b(x)/**/*.json'), ['b(x)/deep/g.json', 'b(x)/f.json']);
    assert.deepEqual(await found('{c}/*.json'), ['{c}/2.json', '{c}/[2].json']);
    assert.deepEqual(await found('a[12]/*.json'), ['a1/f.json']);
    assert.deepEqual(await found('{a1,b*/deep}/?.json'), ['a1/f.json', 'b(x)/deep/g.json']);
  });

  it('follows links to files but not links to folders', async () => {
    mkdirSync(at('links', 'data'), { recursive: true });
    writeFileSync(at('links', 'data', 'f.json'), '');
    symlinkSync(at('links', 'data', 'f.json'), at('links', 'one.json'));
    symlinkSync(at('links'), at('links', 'data', 'circle.json'));
    assert.deepEqual(await found('links/**/*.json'), ['links/data/f.json', 'links/one.json']);
    assert.deepEqual(await found('links/data/circle.json/data/*.json'), ['links/data/circle.json/data/f.json']);
    symlinkSync(at('nowhere'), at('links', 'broken.json'));
    await assert.rejects(coco({ annotations: at('links', '*.json') }).files(), {
      message: `${at('links', 'broken.json')}: no such file`,
    });
  });

  it('reports missing files, folders and empty paths', async () => {
    assert.equal(await found('b(x)'), 'it: is a folder, expected a file');
    assert.equal(await found('a[23]/f.json'), 'it: no file matches; ()[]{}*?! are special in a glob');
    assert.equal(await found('b(x)/d*'), 'it: no file matches; ()[]{}*?! are special in a glob');
    assert.match(String(await found('a1/f.json/*.json')), /^it: cannot be searched: ENOTDIR/);
    const empty = { code: 'bad-input', message: "'': expected the path of a file" };
    await assert.rejects(inputFiles(''), empty);
    const file = at('a1', 'f.json');
    await assert.rejects(visualGenome({ sceneGraphs: file, imageData: file, objectAliases: '' }).files(), empty);
  });

  it('rejects files that are not regular', async function () {
    if (process.platform === 'win32') this.skip();
    execFileSync('mkfifo', [at('pipe.json')]);
    assert.equal(await found('pipe.json'), 'it: is not a regular file: input files are read more than once');
  });
});
