import { stat } from 'node:fs/promises';
import { InputError, RelflowError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { isInside as isInFolder } from '../files/is-inside.js';
import { jsonLines } from '../files/json/json-lines.js';
import { streamJson } from '../files/json/stream-json.js';
import { listNames } from '../files/list-names.js';
import { readSmallJson } from '../files/read-small-file.js';
import type { Box } from '../records/box.js';
import type { CandidateSet, SceneGraph } from '../records/scene-graph.js';
import { schemaProblem } from '../records/schema-problem.js';
import { type SchemaName, schemas } from '../records/schemas.js';
import { RunFolder } from './run-folder.js';

/** Problem that `validateRun` has found. */
export interface Problem {
  readonly file: string;
  /** Line from 1; absent when the problem concerns the whole file. */
  readonly line?: number;
  readonly problem: string;
}

/**
 * Checks a run's folder or a single file against the schemas, the checksums and each other; yields every problem.
 *
 * @throws InputError when the path does not exist or is a folder without a run
 * @example
 * ```ts
 * import { validateRun } from 'relflow';
 *
 * for await (const { file, line, problem } of validateRun('out')) console.error(file, line, problem);
 * ```
 */
export async function* validateRun(path: string): AsyncGenerator<Problem, void> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new InputError(path, 'no such file or folder');
  if (found.isDirectory()) yield* validateFolder(new RunFolder(path));
  else yield* validateFile(path, new Set());
}

/** Checks markers, manifest, checksums, every line, and whether the ids match each other. */
async function* validateFolder(folder: RunFolder): AsyncGenerator<Problem, void> {
  if (!(await folder.state())) throw new InputError(folder.path, 'not the output folder of a run');
  const shards = await folder.shards();
  const manifest = await folder.manifest();
  if (!manifest) yield { file: folder.pathTo('manifest.json'), problem: 'missing: the run is not finished' };
  const listed = shards.flatMap((shard) => shard.files);
  const records = shards.reduce((sum, shard) => sum + shard.records, 0);
  if (manifest && manifest.records !== records) {
    yield {
      file: folder.pathTo('manifest.json'),
      problem: `${manifest.records} records, but its shards have ${records}`,
    };
  }
  const known = new Set((manifest?.files ?? listed).map((file) => file.path));
  for (const file of listed) {
    if (!known.has(file.path))
      yield { file: folder.pathTo(file.path), problem: 'the manifest does not list this file of a shard' };
  }
  const outside = new Set<string>();
  for (const { path, bytes, sha256 } of manifest?.files ?? listed) {
    if ((await isInFolder(folder.path, folder.pathTo(path))) === false) {
      outside.add(path);
      yield { file: folder.pathTo(path), problem: 'a link leads out of the folder of the run, and is not followed' };
      continue;
    }
    const sum = await checksum(folder.pathTo(path)).catch(() => null);
    if (!sum) yield { file: folder.pathTo(path), problem: 'missing' };
    else if (sum.bytes !== bytes) yield { file: folder.pathTo(path), problem: `${sum.bytes} bytes, expected ${bytes}` };
    else if (sum.sha256 !== sha256)
      yield { file: folder.pathTo(path), problem: 'its SHA-256 differs from the recorded one' };
  }
  for (const sink of new Set(listed.map((file) => file.sink))) {
    const seen = new Set<string>();
    if ((await isInFolder(folder.path, folder.pathTo(sink))) === false) continue;
    for (const name of await listNames(folder.pathTo(sink))) {
      if (!known.has(`${sink}/${name}`))
        yield { file: folder.pathTo(sink, name), problem: 'the file does not belong to any shard' };
    }
    for (const file of listed.filter((other) => other.sink === sink)) {
      if (outside.has(file.path) || (await isInFolder(folder.path, folder.pathTo(file.path))) === false) continue;
      const counted = { lines: 0 };
      yield* validateFile(folder.pathTo(file.path), seen, counted);
      if (counted.lines !== file.records) {
        yield { file: folder.pathTo(file.path), problem: `${counted.lines} lines, expected ${file.records}` };
      }
    }
  }
}

/** @param seen images found so far, to detect duplicates */
async function* validateFile(file: string, seen: Set<string>, counted = { lines: 0 }): AsyncGenerator<Problem, void> {
  try {
    if (/\.jsonl(\.gz)?$/.test(file)) {
      for await (const { value, line } of jsonLines(file)) {
        counted.lines++;
        for (const problem of problemsOf(value, seen)) yield { file, line, problem };
      }
    } else if (file.endsWith('.gz') || (await stat(file)).size > SINGLE_VALUE_BYTES) {
      for await (const problem of captionProblems(file)) yield { file, problem };
    } else {
      const value = await readSmallJson(file);
      for (const problem of problemsOf(value, seen)) yield { file, problem };
    }
  } catch (error) {
    if (error instanceof RelflowError || error instanceof SyntaxError) yield { file, problem: error.message };
    else throw error;
  }
}

/** JSON files up to this size are parsed as one value. Larger and compressed ones can only be captions. */
const SINGLE_VALUE_BYTES = 16 * 2 ** 20;

/** Checks a caption file of any size, one element at a time. */
async function* captionProblems(file: string): AsyncGenerator<string, void> {
  let isCoco = false;
  for await (const { first, values } of streamJson(file, { layout: ['annotations'], required: [] })) {
    isCoco = true;
    for (const [index, value] of values.entries()) {
      const problem = schemaProblem('captions-coco', { annotations: [value] });
      if (problem !== null) yield `captions-coco: annotation ${first + index}: ${problem}`;
    }
  }
  if (isCoco) return;
  for await (const { keys, values } of streamJson(file, { layout: 'map' })) {
    for (const [index, value] of values.entries()) {
      const problem = schemaProblem('captions-by-image', { [keys[index]!]: value });
      if (problem !== null) yield `captions-by-image: ${problem}`;
    }
  }
}

function* problemsOf(value: unknown, seen: Set<string>): Generator<string, void> {
  const name = schemaNameOf(value);
  if (!name) {
    yield `unknown format, expected one of ${Object.keys(schemas).join(', ')}`;
    return;
  }
  const problem = schemaProblem(name, value);
  if (problem !== null) yield `${name}: ${problem}`;
  else if (name === 'scene-graph' || name === 'candidates')
    yield* crossChecks(value as SceneGraph | CandidateSet, seen);
}

function schemaNameOf(value: unknown): SchemaName | null {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const { format } = value as { format?: unknown };
  if (typeof format === 'string') {
    const name = /^relflow\.([a-z-]+)\/\d+$/.exec(format)?.[1];
    return name !== undefined && Object.hasOwn(schemas, name) ? (name as SchemaName) : null;
  }
  return 'annotations' in value ? 'captions-coco' : 'captions-by-image';
}

/** Checks what a schema cannot: indexes that exist, boxes inside their image, images that occur once. */
function* crossChecks(record: SceneGraph | CandidateSet, seen: Set<string>): Generator<string, void> {
  const { image, objects, captions } = record;
  const key = `${image.dataset}/${image.id}`;
  if (seen.has(key)) yield `image ${key} occurs more than once`;
  seen.add(key);
  for (const [index, { box }] of objects.entries()) {
    if (!isInside(box, image.width, image.height))
      yield `object ${index}: its box [${box.join(', ')}] is not inside the image`;
  }
  const what = 'relations' in record ? 'relation' : 'candidate';
  const pairs =
    'relations' in record
      ? record.relations.map((relation) => ({ ...relation, captions: relation.captions ?? [] }))
      : record.candidates.map((pair) => ({ ...pair, captions: pair.texts.flatMap((text) => text.captions) }));
  for (const [index, pair] of pairs.entries()) {
    const missing = [pair.subject, pair.object].find((object) => object >= objects.length);
    if (missing !== undefined) yield `${what} ${index}: object ${missing} does not exist`;
    const unknown = pair.captions.find((caption) => caption >= captions.length);
    if (unknown !== undefined) yield `${what} ${index}: caption ${unknown} does not exist`;
  }
}

/** Tests with a tolerance of one pixel, since official files round. */
function isInside([x, y, w, h]: Box, width: number, height: number): boolean {
  return w > 0 && h > 0 && x >= -1 && y >= -1 && x + w <= width + 1 && y + h <= height + 1;
}
