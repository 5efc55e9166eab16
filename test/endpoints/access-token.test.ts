import assert from 'node:assert/strict';
import { accessToken } from '../../src/endpoints/access-token.js';
import { redactor } from '../../src/endpoints/redactor.js';

describe('accessToken', () => {
  const names = ['HF_TOKEN', 'RELFLOW_TOKEN'] as const;
  const before = names.map((name) => process.env[name]);

  afterEach(() => {
    for (const [index, name] of names.entries()) {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    }
  });

  it('sends HF_TOKEN only to this machine and over HTTPS, and RELFLOW_TOKEN to any endpoint', async () => {
    delete process.env['RELFLOW_TOKEN'];
    process.env['HF_TOKEN'] = 'hf_token';
    const ask = (url: string) => accessToken(undefined, new URL(url));
    assert.equal(await accessToken(undefined, undefined), 'hf_token');
    for (const url of ['https://x.example', 'http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1']) {
      assert.equal(await ask(url), 'hf_token', url);
    }
    for (const url of ['http://192.168.1.5:8000', 'http://127.0.0.1.example', 'http://example.com']) {
      assert.equal(await ask(url), undefined, url);
    }
    process.env['RELFLOW_TOKEN'] = ' own ';
    assert.equal(await ask('http://192.168.1.5:8000'), 'own');
  });

  it('does not show an invalid token in the error message', async () => {
    process.env['RELFLOW_TOKEN'] = 'two words';
    await assert.rejects(accessToken(undefined, undefined), {
      message: 'RELFLOW_TOKEN: has no valid token, expected one line of printable ASCII characters without spaces',
    });
  });

  it('is removed from quoted texts', () => {
    assert.equal(redactor('secret')('a secret, Bearer secret'), 'a [token], Bearer [token]');
    assert.equal(redactor(undefined)('as it is'), 'as it is');
  });
});
