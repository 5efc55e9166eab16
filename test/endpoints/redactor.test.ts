import assert from 'node:assert/strict';
import { redactor, valueRedactor } from '../../src/endpoints/redactor.js';

const TOKEN = 'hf_QzX7pL0vN4tK9sRb-2WmYcD8eJ6a+Gu1';
const hex = Buffer.from(TOKEN).toString('hex');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const each = (map: (code: number) => string) => [...TOKEN].map((character) => map(character.charCodeAt(0))).join('');

const ECHOES: Record<string, string> = {
  'as it is': TOKEN,
  'in a header': `Authorization: Bearer ${TOKEN}`,
  'in upper case': TOKEN.toUpperCase(),
  'in base64': base64(TOKEN),
  'in base64 of a header': base64(`Bearer ${TOKEN}`),
  'in base64 of a user and a password': base64(`u:${TOKEN}@host`),
  'in base64 for URLs': Buffer.from(`xy${TOKEN}`).toString('base64url'),
  'in base64 of base64': base64(base64(TOKEN)),
  'in hexadecimal': hex,
  'in upper-case hexadecimal with colons': hex.toUpperCase().replace(/(..)(?=.)/g, '$1:'),
  'in percent encoding': encodeURIComponent(TOKEN),
  'in percent encoding of every character': each((code) => `%${code.toString(16)}`),
  'in JSON escapes': each((code) => `\\u00${code.toString(16)}`),
  'in hexadecimal escapes': each((code) => `\\x${code.toString(16)}`),
  'in decimal entities': each((code) => `&#${code};`),
  'in hexadecimal entities': each((code) => `&#x${code.toString(16)};`),
  'in UTF-16': each((code) => `00${code.toString(16)}`),
  'in decimal codes': each((code) => `${code}, `),
  backwards: [...TOKEN].reverse().join(''),
  'with spaces': [...TOKEN].join(' '),
  'with characters of no width': [...TOKEN].join('\u200b'),
  'on several lines': TOKEN.replace(/(.{5})/g, '$1\n'),
  'as parts of a list': JSON.stringify(TOKEN.match(/.{1,6}/g)),
};

/** Returns the longest run of letters and digits of the token in a text, forwards. */
function longestPiece(text: string): number {
  const token = TOKEN.replace(/[^a-z0-9]/gi, '').toLowerCase();
  const plain = text.replace(/[^a-z0-9]/gi, '').toLowerCase();
  for (let length = token.length; length > 0; length--)
    for (let at = 0; at + length <= token.length; at++) if (plain.includes(token.slice(at, at + length))) return length;
  return 0;
}

describe('a token that a server sends back', () => {
  for (const [what, echo] of Object.entries(ECHOES))
    it(`is removed ${what}`, () => {
      const redacted = redactor(TOKEN)(`you sent: ${echo} to us`);
      assert.match(redacted, /^you sent: .*\[token\].* to us$/s);
      assert.ok(longestPiece(redacted) < 4, redacted);
      assert.ok(redacted.length < 60, redacted);
    });

  it('is removed in halves, and from keys and texts of JSON', () => {
    const value = { [TOKEN]: 1, a: [TOKEN.slice(0, 17), { b: `x ${TOKEN.slice(17)}` }], count: 3, none: null };
    const expected = { '[token]': 1, a: ['[token]', { b: 'x [token]' }], count: 3, none: null };
    assert.deepEqual(valueRedactor(TOKEN)(JSON.parse(JSON.stringify(value))), expected);
    assert.doesNotMatch(JSON.stringify(valueRedactor(TOKEN)(JSON.parse(`["${ECHOES['in JSON escapes']}"]`))), /QzX7/);
  });

  it('leaves all other texts as they are', () => {
    const caption = 'A man in a red shirt rides a brown horse, 2 dogs follow; file 000000391895.jpg 0123456789abcdef';
    assert.equal(redactor(TOKEN)(caption), caption);
    assert.deepEqual(valueRedactor('elephant')(['an elephant']), ['an elephant']);
    assert.deepEqual(valueRedactor(undefined)([TOKEN]), [TOKEN]);
    assert.equal(redactor('abc')('abc'), 'abc');
    assert.equal(redactor('abcd')('abcd'), '[token]');
  });

  it('is removed in a time that is proportional to the text', () => {
    const long = `${'riding a horse '.repeat(200_000)}${TOKEN}`;
    assert.ok(redactor(TOKEN)(long).endsWith('[token]'));
  });
});
