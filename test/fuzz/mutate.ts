import { gzipSync } from 'node:zlib';
import type { Random } from '../../src/records/random.js';

/** Returns a whole number from 0 to `count - 1`. */
export function below(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}

/** Returns one of several items. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

const numbers = [0, 1, 2, 7, 8, 127, 128, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

/** Changes a few bytes: flips, overwrites with notable numbers, removes, repeats, inserts, copies from another input. */
export function mutateBytes(random: Random, bytes: Buffer, other: Buffer): Buffer {
  let result = Buffer.from(bytes);
  for (let edits = 1 + below(random, 4); edits > 0; edits--) {
    const at = below(random, result.length + 1);
    const length = 1 + below(random, pick(random, [2, 8, 64, result.length + 1]));
    const parts = (middle: Uint8Array, skipped = 0) =>
      Buffer.concat([result.subarray(0, at), middle, result.subarray(at + skipped)]);
    switch (below(random, 8)) {
      case 0:
        if (at < result.length) result[at]! ^= 1 << below(random, 8);
        break;
      case 1:
        if (at < result.length) result[at] = pick(random, numbers);
        break;
      case 2: {
        const word = Buffer.alloc(8);
        const isLittle = random.next() < 0.5;
        if (isLittle) word.writeUInt32LE(pick(random, numbers));
        else word.writeUInt32BE(pick(random, numbers));
        const width = pick(random, [2, 4, 8]);
        result = parts(word.subarray(0, width), width);
        break;
      }
      case 3:
        result = parts(Buffer.alloc(0), length);
        break;
      case 4:
        result = parts(Buffer.from(result.subarray(at, at + length)));
        break;
      case 5:
        result = parts(Buffer.alloc(Math.min(length, 64), pick(random, numbers)));
        break;
      case 6: {
        const from = below(random, other.length + 1);
        result = parts(other.subarray(from, from + length), random.next() < 0.5 ? length : 0);
        break;
      }
      default:
        if (random.next() < 0.3) result = result.subarray(0, at);
    }
    if (result.length > 1 << 17) result = result.subarray(0, 1 << 17);
  }
  return result;
}

const values: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => '',
  () => ' ',
  () => [],
  () => ({}),
  () => [[]],
  () => [null],
  () => ({ toString: 1, constructor: null, length: -1 }),
  () => JSON.parse('{"__proto__": {"id": 1}}') as unknown,
  () => -1,
  () => 0,
  () => -0,
  () => 0.5,
  () => 1e308,
  () => 5e-324,
  () => 2 ** 53,
  () => 4_294_967_296,
  () => 1_000_000,
  () => '7',
  () => '007',
  () => '7.0',
  () => '9007199254740993',
  () => '../../etc/passwd',
  () => 'a/../b.jpg',
  () => 'https://x.y/z/1.jpg?q',
  () => 'C:\\b\\1.jpg',
  () => '\u0000\u001b[2J',
  () => '\ud800',
  () => 'é😀\u202e',
  () => 'x'.repeat(3000),
  () => '<svg onload=alert(1)>',
  () => [0, 0, 9, 9],
  () => ['1', '2', '3', '4'],
  () => Array.from({ length: 300 }, (_, k) => k),
  () => nested(600),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let k = 0; k < depth; k++) value = k % 2 === 0 ? [value] : { a: value };
  return value;
}

type Container = unknown[] | Record<string, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Changes a few values of a JSON value: replaces, removes, repeats, moves and renames parts of it. */
export function mutateJson(random: Random, value: unknown): unknown {
  let root = structuredClone(value);
  for (let edits = below(random, 5); edits > 0; edits--) {
    const path: Container[] = [];
    for (let at: unknown = root; isContainer(at) && Object.keys(at).length > 0 && random.next() < 0.85; ) {
      path.push(at);
      at = (at as Record<string, unknown>)[pick(random, Object.keys(at))];
    }
    const parent = path.at(-1) as Record<string, unknown> | undefined;
    if (!parent) {
      if (random.next() < 0.05) root = pick(random, values)();
      continue;
    }
    const keys = Object.keys(parent);
    if (keys.length === 0) continue;
    const key = pick(random, keys);
    const from = pick(random, path) as Record<string, unknown>;
    switch (below(random, 6)) {
      case 0:
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else delete parent[key];
        break;
      case 1:
        if (Array.isArray(parent) && parent.length < 200)
          parent.splice(Number(key), 0, structuredClone(parent[Number(key)]));
        else parent[`${key}${pick(random, ['', ' ', '2'])}`] = parent[key];
        break;
      case 2: {
        const moved = structuredClone(from[pick(random, Object.keys(from))]);
        if (JSON.stringify(moved ?? null).length < 4000) parent[key] = moved;
        break;
      }
      default:
        parent[key] = pick(random, values)();
    }
  }
  return root;
}

/** Writes a JSON value in one of the forms that files have, some of them invalid. */
export function writeJson(random: Random, value: unknown): Buffer {
  const plain = JSON.stringify(value, null, random.next() < 0.2 ? pick(random, [1, 2, '\t']) : undefined) ?? '';
  return encodeText(random, plain);
}

/** Writes a text with other line breaks, encodings or compression, some of them invalid. */
export function encodeText(random: Random, plain: string): Buffer {
  let text = plain;
  if (random.next() < 0.05) text = text.replaceAll('\n', '\r\n');
  if (random.next() < 0.05)
    text = text.replace(/\d+/, () => pick(random, ['NaN', '-Infinity', '12345678901234567890', '1e999', '0x1']));
  if (random.next() < 0.05) text = `${text}${pick(random, [' \n', ',', '}', ']', '{}', '\n[]', '\0'])}`;
  let bytes: Buffer = Buffer.from(text);
  if (random.next() < 0.03) bytes = Buffer.from(`\ufeff${text}`, pick(random, ['utf8', 'utf16le'] as const));
  if (random.next() < 0.2) bytes = mutateBytes(random, bytes, bytes);
  if (random.next() < 0.05) bytes = gzipSync(bytes, { level: 1 });
  if (random.next() < 0.01) bytes = mutateBytes(random, bytes, bytes);
  return bytes;
}
