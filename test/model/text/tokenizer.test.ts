import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openTokenizer, tokenizeLabels } from '../../../src/model/text/tokenizer.js';

const folder = 'test/model/text/tokenizer';

describe('RoBERTa’s tokenizer', () => {
  it('returns the token ids of the reference library', async () => {
    const tokenizer = await openTokenizer(folder);
    const expected = JSON.parse(readFileSync(`${folder}/token-ids.json`, 'utf8')) as [string, number[]][];
    assert.ok(expected.length > 300);
    for (const [text, ids] of expected) assert.deepEqual(tokenizer.encode(text), ids, JSON.stringify(text));
  });

  it('pads texts to one length and truncates texts that are too long', async () => {
    const tokenizer = await openTokenizer(folder);
    const { ids, texts, tokens } = tokenizeLabels(tokenizer, ['person', 'x'.repeat(60)], 8);
    assert.deepEqual([texts, tokens], [2, 8]);
    const rows = [ids.subarray(0, 8), ids.subarray(8)];
    assert.equal(rows[0]!.at(-1), 1);
    assert.deepEqual([rows[1]![0], rows[1]!.at(-1)], [0, 2]);
  });

  it('is named in the error when it is missing', async () => {
    await assert.rejects(openTokenizer('test/model'), /tokenizer\.json.*cannot be read as a tokenizer/);
  });
});
