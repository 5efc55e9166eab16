import assert from 'node:assert/strict';
import { relflow } from '../support/command.js';

describe('relflow parse --format factual', () => {
  it('prints one line per caption, empty if nothing is found', async () => {
    const { code, stdout } = await relflow(['parse', '-f', 'factual'], 'two men riding a brown horse\n\n!\na dog');
    assert.equal(code, 0);
    assert.equal(stdout, '( men , ride , horse ) , ( men , is , 2 ) , ( horse , is , brown )\n\n\n( dog )\n');
  });

  it('rejects an unknown format', async () => {
    const { code, stderr } = await relflow(['parse', '--format', 'xml']);
    assert.equal(code, 2);
    assert.match(stderr, /Allowed choices are json, factual/);
  });

  it('reads with the neural parser and drops relations below --min-confidence', async () => {
    const caption = 'a man riding a horse';
    const sure = await relflow(['parse', '--parser', 'neural', '--min-confidence', '0.5'], caption);
    assert.equal(sure.code, 0, sure.stderr);
    const { relations } = JSON.parse(sure.stdout) as { relations: { predicate: string; confidence: number }[] };
    assert.deepEqual(
      relations.map(({ predicate }) => predicate),
      ['riding'],
    );
    const none = await relflow(['parse', '--parser', 'neural', '--min-confidence', '1', '-f', 'factual'], caption);
    assert.equal(none.stdout, '( man ) , ( horse )\n');
  });

  it('rejects an unknown parser and a confidence outside [0, 1]', async () => {
    const unknown = await relflow(['parse', '--parser', 'spacy']);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Allowed choices are rules, neural/);
    const outside = await relflow(['parse', '--parser', 'neural', '--min-confidence', '2'], 'a');
    assert.equal(outside.code, 1);
    assert.match(outside.stderr, /neuralParser: minConfidence 2, expected a number from 0 to 1/);
  });

  it('refuses a line without an end', async () => {
    process.env['RELFLOW_MAX_ELEMENT_BYTES'] = '1000';
    try {
      const { code, stdout, stderr } = await relflow(['parse', '-f', 'factual'], `a dog\n${'a'.repeat(1001)}`);
      assert.equal(code, 1);
      assert.equal(stdout, '( dog )\n');
      assert.match(stderr, /^relflow: standard input: line 2 is longer than 1000 bytes, the limit that RELFLOW_MAX/m);
    } finally {
      delete process.env['RELFLOW_MAX_ELEMENT_BYTES'];
    }
  });
});
