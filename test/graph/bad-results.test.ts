import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILTERED, fromIterable, Graph, operator, run } from '../../src/index.js';
import { temporaryFolder } from '../support/folders.js';

interface Numbered {
  readonly image: { readonly id: number };
}

const records: readonly Numbered[] = Array.from({ length: 3000 }, (_, id) => ({ image: { id } }));
const FIELDS = ['image'] as const;

// A person's own code need not be TypeScript.
// biome-ignore lint/suspicious/noExplicitAny: what the types forbid
type Any = any;

/** A graph with an operator and a sink of its user's; the defaults are right. */
function graphOf({
  source = records,
  apply = () => ({ size: 1 }),
  keep = () => true,
  line = ({ image }: Numbered) => ({ image: image.id }),
  finish = async () => [],
}: {
  source?: Any;
  apply?: Any;
  keep?: Any;
  line?: Any;
  finish?: Any;
} = {}): Graph {
  const graph = new Graph('mine');
  const sized = operator<Numbered, { size: number }>({
    name: 'sized',
    version: '1',
    needs: ['image'],
    adds: ['size'],
    apply,
  });
  graph
    .from(fromIterable<Any>('numbers', FIELDS as Any, source))
    .pipe(sized as Any)
    .filter('kept', keep)
    .to({ name: 'lines', version: '1', needs: [], line });
  return graph.finish({ name: 'page', version: '1', needs: ['lines'], finish });
}

/** Returns a function that gives a wrong value for one image and a right one for the others. */
const at = (bad: number, wrong: Any, right: Any) => (record: Numbered) => {
  const value = record.image.id === bad ? wrong : right;
  return typeof value === 'function' ? value(record) : value;
};

describe('a result that must not be', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const right = { size: 1 };
  const cases: [string, Parameters<typeof graphOf>[0], RegExp][] = [
    [
      'nothing from an operator',
      { apply: at(7, undefined, right) },
      /^operator 'sized' \(record 7, image 7\): returned undefined, expected an object with size, or FILTERED$/,
    ],
    [
      'a number from an operator',
      { apply: at(7, 5, right) },
      /^operator 'sized' \(record 7, image 7\): returned a number, expected/,
    ],
    [
      'a promise of nothing',
      { apply: async (record: Numbered) => (record.image.id === 7 ? null : right) },
      /^operator 'sized' \(record 7, image 7\): returned null, expected/,
    ],
    [
      'a missing field',
      { apply: at(7, { length: 1 }, right) },
      /^operator 'sized' \(record 7, image 7\): returned an object without 'size', expected the fields that it declares in adds: size$/,
    ],
    [
      'a promise in a field',
      { apply: at(7, () => ({ size: Promise.resolve(1) }), right) },
      /^operator 'sized' \(record 7, image 7\): returned a promise in 'size', expected the value; await it first$/,
    ],
    [
      'a promise from a filter',
      { keep: async () => false },
      /^filter 'kept': returned a promise, expected true or false$/,
    ],
    [
      'no line',
      { line: at(7, undefined, {}) },
      /^sink 'lines' \(record 7, image 7\): returned undefined, expected a value that JSON keeps as it is$/,
    ],
    [
      'a promise of a line',
      { line: async () => ({}) },
      /^sink 'lines' \(record 0, image 0\): returned a promise, expected/,
    ],
    [
      'a function',
      { line: at(7, () => () => 1, {}) },
      /^sink 'lines' \(record 7, image 7\): returned a function, expected/,
    ],
    [
      'a big integer',
      { line: at(7, { a: [1, 2n] }, {}) },
      /^sink 'lines' \(record 7, image 7\): returned a bigint at \/a\/1, expected/,
    ],
    ['a Map', { line: at(7, { a: new Map() }, {}) }, /returned a Map at \/a, expected/],
    ['a typed array', { line: at(7, new Float32Array(2), {}) }, /returned a Float32Array, expected/],
    ['not a number', { line: at(7, { score: Number.NaN }, {}) }, /returned NaN at \/score, expected/],
    [
      'a circle',
      { line: at(7, circular, {}) },
      /returned an object that contains itself, or is nested too deeply, at \/self/,
    ],
    [
      'nothing from a source',
      { source: [records[0], undefined] },
      /^source 'numbers' \(record 1\): yielded undefined, expected an object with image$/,
    ],
    [
      'a field that a source lacks',
      { source: [records[0], {}] },
      /^source 'numbers' \(record 1\): yielded an object without 'image', expected/,
    ],
    [
      'nothing from a finisher',
      { finish: async () => undefined },
      /^finisher 'page': returned undefined, expected a list of files$/,
    ],
  ];
  for (const [what, options, message] of cases) {
    it(`is an error that names it and the record: ${what}`, async () => {
      const out = join(temporaryFolder(), 'out');
      await assert.rejects(run(graphOf(options), { out }), (error: Error & { code: string }) => {
        assert.equal(error.code, 'bad-result');
        assert.match(error.message, message);
        return true;
      });
      // The corrected code runs into the same folder.
      const { manifest } = await run(graphOf(), { out });
      assert.equal(manifest?.records, records.length);
    });
  }

  it('does not block the folder after complete shards either', async () => {
    const out = join(temporaryFolder(), 'out');
    await assert.rejects(run(graphOf({ line: at(2500, undefined, { wrong: true }) }), { out }), { code: 'bad-result' });
    assert.ok(existsSync(join(out, 'lines/00001.jsonl')));
    await run(graphOf(), { out });
    assert.match(readFileSync(join(out, 'lines/00000.jsonl'), 'utf8'), /^\{"image":0\}\n/);
  });

  it('leaves out fields that are undefined, and lets FILTERED of another copy of relflow pass', async () => {
    const out = join(temporaryFolder(), 'out');
    const apply = at(1, Symbol.for('relflow.filtered'), { size: 1 });
    assert.equal(FILTERED, Symbol.for('relflow.filtered'));
    const line = ({ image }: Numbered) => ({ image: image.id, at: new Date(0), none: undefined });
    const { manifest } = await run(graphOf({ apply, line }), { out });
    assert.equal(manifest?.stages['sized']?.filtered, 1);
    assert.match(
      readFileSync(join(out, 'lines/00000.jsonl'), 'utf8'),
      /^\{"image":0,"at":"1970-01-01T00:00:00.000Z"\}\n/,
    );
  });
});
