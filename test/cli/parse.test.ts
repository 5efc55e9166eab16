import assert from 'node:assert/strict';
import { relflow } from '../support/command.js';

describe('relflow parse --format factual', function () {
  this.timeout(60_000);

  it('prints one line a caption, empty where nothing is found', async () => {
    const { code, stdout } = await relflow(['parse', '-f', 'factual'], 'two men riding a brown horse\n\n!\na dog');
    assert.equal(code, 0);
    assert.equal(stdout, '( man , ride , horse ) , ( man , is , 2 ) , ( horse , is , brown )\n\n\n( dog )\n');
  });

  it('knows two forms', async () => {
    const { code, stderr } = await relflow(['parse', '--format', 'xml']);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are json, factual/);
  });
});
