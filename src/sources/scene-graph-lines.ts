import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError, OptionError } from '../errors.js';
import { imagePath } from '../files/image-path.js';
import { inputFiles } from '../files/input-files.js';
import { isInside } from '../files/is-inside.js';
import { type TextLine, textLines } from '../files/json/json-lines.js';
import { fieldsOf, formatJsonValue, isId } from '../files/json/json-value.js';
import { isTooDeep, parseNestedJson } from '../files/json/parse-json.js';
import { readSmallJson } from '../files/read-small-file.js';
import { safeRelativePath } from '../files/safe-relative-path.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Source, SourceContext, SourceItem } from '../records/ports.js';
import type { Related, SceneGraph } from '../records/scene-graph.js';
import { fitsSchema, schemaProblem } from '../records/schema-problem.js';

/** Options of `sceneGraphLines`. */
export interface SceneGraphLinesOptions {
  /** Path or glob of JSON Lines files, gzip or not, read in sorted order; or the folder of a finished run. */
  readonly sceneGraphs: string;
  /** The maximum number of images. Default: all. */
  readonly limit?: number;
}

type SceneGraphRecord = ImageRecord & Captioned & Related;

/**
 * Reads scene graphs that relflow wrote. Each line is checked: a line that does not fit the schema is rejected as
 * `schema` with its file and line, and an image whose path leaves the image folder as `unsafe-path`.
 * @throws OptionError if an option is missing or out of range
 *
 * @example
 * ```ts
 * import { Graph, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('with-relations');
 * graph
 *   .from(sceneGraphLines({ sceneGraphs: 'graphs' }))
 *   .filter('with-relations', ({ relations }) => relations.length > 0)
 *   .to(sceneGraphs());
 * ```
 */
export function sceneGraphLines(options: SceneGraphLinesOptions): Source<SceneGraphRecord> {
  const name = 'scene-graph-lines';
  const { sceneGraphs, limit } = options;
  if (!sceneGraphs) throw new OptionError(name, "'sceneGraphs' is missing, expected a path, a glob or a folder");
  if (limit !== undefined) checkPositiveInteger(name, 'limit', limit);
  return {
    name,
    version: '1',
    options: { sceneGraphs: basename(sceneGraphs), ...(limit !== undefined && { limit }) },
    adds: ['image', 'detections', 'origin', 'captions', 'relations', 'tagger'],
    files: () => sceneGraphFiles(sceneGraphs),
    async *read(context: SourceContext): AsyncGenerator<SourceItem<SceneGraphRecord>, void, void> {
      let done = 0;
      for (const file of await sceneGraphFiles(sceneGraphs)) {
        for await (const line of textLines(file, { signal: context.signal })) {
          if (done === limit) return;
          const item = readLine(line, basename(file));
          yield item;
          if (item.record) context.progress({ phase: 'records', done: ++done, total: null });
        }
      }
    },
  };
}

/**
 * Returns the files of a path or glob, or the scene-graph files that the manifest of a run folder lists.
 * @throws InputError if there is none, or a folder is not that of a finished run
 */
export async function sceneGraphFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => null);
  if (!found?.isDirectory()) return inputFiles(path);
  const manifestFile = join(path, 'manifest.json');
  await checkInside(path, manifestFile);
  let manifest: unknown;
  try {
    manifest = await readSmallJson(manifestFile, 32 << 20);
  } catch (error) {
    throw new InputError(path, 'has no readable manifest.json, expected the folder of a finished run', undefined, {
      cause: error,
    });
  }
  if (!fitsSchema('manifest', manifest)) {
    throw new InputError(manifestFile, schemaProblem('manifest', manifest) ?? 'does not fit its schema');
  }
  const files = manifest.files.filter(({ sink }) => sink === 'scene-graphs').map((file) => file.path);
  const outside = files.find((file) => safeRelativePath(file) === null);
  if (outside !== undefined) throw new InputError(manifestFile, `the path '${outside}' is outside the run folder`);
  if (files.length === 0) throw new InputError(manifestFile, 'the run wrote no scene graphs');
  for (const file of files) await checkInside(path, join(path, file));
  return files.map((file) => join(path, file));
}

async function checkInside(folder: string, file: string): Promise<void> {
  if ((await isInside(folder, file)) === false)
    throw new InputError(file, 'a link leads out of the folder of the run, and is not followed');
}

function readLine({ text, line }: TextLine, file: string): SourceItem<SceneGraphRecord> {
  let value: unknown;
  let problem = 'is not JSON';
  try {
    value = parseNestedJson(text);
  } catch (error) {
    if (isTooDeep(error)) problem = error.message;
  }
  const { id: imageId } = fieldsOf(fieldsOf(value)['image']);
  const reject = (reason: string, problem: string) => ({
    rejects: [
      {
        reason,
        message: `${file}: line ${line}: ${problem}`,
        ...(isId(imageId) && { image: imageId }),
        detail: { file, line },
      },
    ],
  });
  if (value === undefined) return reject('schema', problem);
  if (!fitsSchema('scene-graph', value)) {
    return reject('schema', schemaProblem('scene-graph', value) ?? 'does not fit its schema');
  }
  const dangling = danglingIndex(value);
  if (dangling !== null) return reject('schema', dangling);
  const { image, objects, captions, relations, provenance } = value;
  const path = imagePath(image.file);
  if (path === null) return reject('unsafe-path', `${formatJsonValue(image.file)} is not the path of an image`);
  const { origin, tagger } = provenance;
  return {
    record: { image: { ...image, file: path.file }, detections: objects, origin, captions, relations, tagger },
    ...(path.outside && { counts: { 'path-shortened': 1 } }),
  };
}

/** Checks what the schema cannot express: that relations refer to existing objects and captions. */
function danglingIndex({ objects, captions, relations }: SceneGraph): string | null {
  for (const [index, { subject, object, captions: by = [] }] of relations.entries()) {
    if (subject >= objects.length || (object !== null && object >= objects.length)) {
      return `/relations/${index} refers to an object that does not exist`;
    }
    if (by.some((caption) => caption >= captions.length))
      return `/relations/${index} refers to a caption that does not exist`;
  }
  return null;
}
