import assert from 'node:assert/strict';
import { RelflowError } from '../../src/errors.js';
import { optionalPackage } from '../../src/files/optional-package.js';

describe('optionalPackage', () => {
  it('says what to install where a package is missing, and leaves other errors of its loading as they are', async () => {
    const missing = 'relflow-has-no-such-package';
    assert.equal(await optionalPackage('one', 'x needs one', async () => 1), 1);
    await assert.rejects(
      optionalPackage(missing, 'x needs it: npm install it', () => import(missing)),
      new RelflowError('missing-package', 'x needs it: npm install it', { package: missing }),
    );
    for (const error of [
      new Error('damaged'),
      Object.assign(new Error("Cannot find package 'two'"), { code: 'ERR_MODULE_NOT_FOUND' }),
    ])
      await assert.rejects(
        optionalPackage('one', 'x needs one', () => Promise.reject(error)),
        error,
      );
  });
});
