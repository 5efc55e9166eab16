import { RelflowError } from '../../errors.js';
import { isThenable } from '../../operators/is-thenable.js';
import { FILTERED } from '../../operators/operator.js';
import type { Node } from '../node.js';

/** Code of the error for a source, an operator, a sink or a finisher that returns what it must not. */
export const BAD_RESULT = 'bad-result';

/** Fields of records that are lists. */
const LISTS: ReadonlySet<string> = new Set([
  'detections',
  'captions',
  'phrases',
  'mentions',
  'candidates',
  'relations',
]);

/**
 * Checks what a stage returned for a record: the fields that it declares in `adds`, none of them a promise.
 *
 * @throws RelflowError (`bad-result`) naming the stage and the record
 */
export function checkStageResult(
  node: Node & { kind: 'stage' },
  result: unknown,
  record: object,
  ordinal: number,
): void {
  const { adds } = node.spec;
  if (result === FILTERED) return;
  if (typeof result !== 'object' || result === null) {
    const expected = adds.length > 0 ? `an object with ${adds.join(', ')}` : 'an object';
    throw badResult(node, record, ordinal, `returned ${kindOf(result)}, expected ${expected}, or FILTERED`);
  }
  const problem = fieldsProblem(result, adds);
  if (problem !== null) throw badResult(node, record, ordinal, `returned ${problem}`);
}

/**
 * Checks a record that a source yields: the fields that it declares in `adds`.
 *
 * @throws RelflowError (`bad-result`) naming the source and the record
 */
export function checkSourceRecord(node: Node & { kind: 'source' }, record: unknown, ordinal: number): void {
  if (typeof record !== 'object' || record === null)
    throw badResult(
      node,
      {},
      ordinal,
      `yielded ${kindOf(record)}, expected an object with ${node.source.adds.join(', ')}`,
    );
  const problem = fieldsProblem(record, node.source.adds);
  if (problem !== null) throw badResult(node, record, ordinal, `yielded ${problem}`);
}

/**
 * Checks the line that a sink returned for a record: a value that JSON keeps as it is. Lines of sinks with a schema are only checked
 * for values that have no JSON at all; their schema checks the rest.
 *
 * @throws RelflowError (`bad-result`) naming the sink and the record
 */
export function checkLine(node: Node & { kind: 'sink' }, line: unknown, record: object, ordinal: number): void {
  const problem = node.sink.schema ? (isThenable(line) ? 'a promise' : hasNoJson(line)) : jsonProblem(line, '', 0);
  if (problem !== null)
    throw badResult(node, record, ordinal, `returned ${problem}, expected a value that JSON keeps as it is`);
}

function fieldsProblem(value: object, adds: readonly string[]): string | null {
  for (const field of adds) {
    const content = (value as Record<string, unknown>)[field];
    if (content === undefined)
      return `an object without '${field}', expected the fields that it declares in adds: ${adds.join(', ')}`;
    if (isThenable(content)) return `a promise in '${field}', expected the value; await it first`;
    if (LISTS.has(field) && !Array.isArray(content)) return `${kindOf(content)} in '${field}', expected a list`;
  }
  return null;
}

function hasNoJson(value: unknown): string | null {
  return ['undefined', 'function', 'symbol', 'bigint'].includes(typeof value) ? kindOf(value) : null;
}

/** Deeper values are circular or exhaust the stack of those who read them. */
const MAX_DEPTH = 500;

function jsonProblem(value: unknown, at: string, depth: number): string | null {
  const place = at === '' ? '' : ` at ${at}`;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : `${value}${place}`;
  if (typeof value !== 'object') return `${kindOf(value)}${place}`;
  if (isThenable(value)) return `a promise${place}`;
  if (depth > MAX_DEPTH) return `an object that contains itself, or is nested too deeply,${place.slice(0, 80)}`;
  if (Array.isArray(value)) return firstProblem(value.entries(), at, depth);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value))
    return `a ${(prototype as object).constructor.name}${place}`;
  // JSON leaves fields that are undefined out, as everyone expects.
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return firstProblem(fields, at, depth);
}

function firstProblem(entries: Iterable<[number | string, unknown]>, at: string, depth: number): string | null {
  for (const [key, value] of entries) {
    const problem = jsonProblem(value, `${at}/${key}`, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** Describes a value by its kind: `undefined`, `a number`, `a promise`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (isThenable(value)) return 'a promise';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function badResult(node: Node, record: object, ordinal: number, problem: string): RelflowError {
  const image = (record as { image?: { id?: unknown } }).image?.id;
  const where = image === undefined ? `record ${ordinal}` : `record ${ordinal}, image ${image}`;
  const kind = node.kind === 'stage' ? 'operator' : node.kind;
  return new RelflowError(BAD_RESULT, `${kind} '${node.id}' (${where}): ${problem}`, {
    node: node.id,
    record: ordinal,
    image,
  });
}
