import { stat } from 'node:fs/promises';
import { InputError, RelflowError } from '../errors.js';
import { checksum } from '../files/checksum.js';
import { isInside as isInFolder } from '../files/is-inside.js';
import { jsonLines } from '../files/json/json-lines.js';
import { fieldsOf, formatJsonValue } from '../files/json/json-value.js';
import { listNames } from '../files/list-names.js';
import { readSmallJson } from '../files/read-small-file.js';
import type { Box } from '../records/box.js';
import type { CandidateSet, SceneGraph } from '../records/scene-graph.js';
import { schemaProblem } from '../records/schema-problem.js';
import { type SchemaName, schemas } from '../records/schemas.js';
import { kindOfList } from '../sources/coco-kinds.js';
import { describeOtherFormat } from '../sources/other-formats.js';
import { contentKind, fileKind, fileKinds } from './file-kind.js';
import { RunFolder } from './run-folder.js';
import { validateInput } from './validate-input.js';

/** Problem that `validateRun` has found. */
export interface Problem {
  readonly file: string;
  /** Line from 1; absent when the problem concerns the whole file. */
  readonly line?: number;
  readonly problem: string;
}

/**
 * Checks a run's folder against the schemas, the checksums and each other, or a single file of any kind that relflow reads or
 * writes; yields every problem. A file of captions, detections or another input is read as a run would read it: each reason for
 * which something in it is rejected is a problem, and so is a file in which nothing can be used.
 *
 * @param onKind called with the kind of a single file, in words, once it is known
 * @throws InputError when the path does not exist or is a folder without a run
 * @example
 * ```ts
 * import { validateRun } from 'relflow';
 *
 * for await (const { file, line, problem } of validateRun('out')) console.error(file, line, problem);
 * ```
 */
export async function* validateRun(
  path: string,
  onKind: (kind: string) => void = () => {},
): AsyncGenerator<Problem, void> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new InputError(path, 'no such file or folder');
  if (found.isDirectory()) yield* validateFolder(new RunFolder(path));
  else yield* validateFile(path, onKind);
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
  for (const { path, bytes, sha256 } of manifest?.files ?? listed) {
    if ((await isInFolder(folder.path, folder.pathTo(path))) === false) {
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
      if ((await isInFolder(folder.path, folder.pathTo(file.path))) === false) continue;
      const counted = { lines: 0 };
      yield* validateLines(folder.pathTo(file.path), seen, counted);
      if (counted.lines !== file.records) {
        yield { file: folder.pathTo(file.path), problem: `${counted.lines} lines, expected ${file.records}` };
      }
    }
  }
}

/**
 * Checks the lines of an output of relflow.
 * @param seen images found so far, to detect duplicates
 */
async function* validateLines(file: string, seen: Set<string>, counted = { lines: 0 }): AsyncGenerator<Problem, void> {
  try {
    for await (const { value, line } of jsonLines(file)) {
      counted.lines++;
      for (const problem of problemsOf(value, seen)) yield { file, line, problem };
    }
  } catch (error) {
    if (error instanceof RelflowError) yield { file, problem: error.message };
    else throw error;
  }
}

/** Checks an output of relflow against its schema, and reads a file of any other known kind as a run would. */
async function* validateFile(file: string, onKind: (kind: string) => void): AsyncGenerator<Problem, void> {
  try {
    const { kind, isLines } = await fileKind(file);
    if (kind !== null) onKind(fileKinds[kind]);
    if (kind === 'relflow' && !isLines) {
      for (const problem of problemsOf(await readSmallJson(file), new Set())) yield { file, problem };
    } else if (kind === 'relflow') yield* validateLines(file, new Set());
    else if (kind !== null) {
      for await (const problem of validateInput(file, kind)) yield { file, problem };
    } else yield { file, problem: await describeUnknown(file) };
  } catch (error) {
    if (error instanceof RelflowError || error instanceof SyntaxError) yield { file, problem: error.message };
    else throw error;
  }
}

async function describeUnknown(file: string): Promise<string> {
  const other = (await contentKind(file)) ?? (await kindOfList(file)) ?? (await describeOtherFormat(file));
  const known = `relflow reads or writes none of this kind; it knows ${Object.values(fileKinds).join(', ')}`;
  return other === undefined || other === 'the file is a list' ? `unknown format: ${known}` : `${other}. ${known}`;
}

function* problemsOf(value: unknown, seen: Set<string>): Generator<string, void> {
  const name = schemaNameOf(value);
  if (!name) {
    const { format } = fieldsOf(value);
    const names = Object.keys(schemas).map((schema) => `relflow.${schema}/…`);
    yield `its format is ${formatJsonValue(format)}, expected one of ${names.join(', ')}`;
    return;
  }
  const problem = schemaProblem(name, value);
  if (problem !== null) yield `${name}: ${problem}`;
  else if (name === 'scene-graph' || name === 'candidates')
    yield* crossChecks(value as SceneGraph | CandidateSet, seen);
}

function schemaNameOf(value: unknown): SchemaName | null {
  const { format } = fieldsOf(value);
  const name = typeof format === 'string' ? /^relflow\.([a-z-]+)\/\d+$/.exec(format)?.[1] : undefined;
  return name !== undefined && Object.hasOwn(schemas, name) ? (name as SchemaName) : null;
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
    const missing = [pair.subject, pair.object].find((object) => object !== null && object >= objects.length);
    if (missing !== undefined) yield `${what} ${index}: object ${missing} does not exist`;
    const unknown = pair.captions.find((caption) => caption >= captions.length);
    if (unknown !== undefined) yield `${what} ${index}: caption ${unknown} does not exist`;
  }
}

/** Tests with a tolerance of one pixel, since official files round. */
function isInside([x, y, w, h]: Box, width: number, height: number): boolean {
  return w > 0 && h > 0 && x >= -1 && y >= -1 && x + w <= width + 1 && y + h <= height + 1;
}
