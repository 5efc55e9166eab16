import type { OutputFile } from '../records/manifest.js';
import type { Provenance } from '../records/scene-graph.js';
import type { SchemaName } from '../records/schemas.js';
import type { RunFolder } from '../run-folder/run-folder.js';

/**
 * Converts each record to a line of JSON. The run writes the lines to shards, in one folder per sink.
 *
 * @example
 * ```ts
 * import { coco, Graph, type ImageRecord, type Sink } from 'relflow';
 *
 * const boxCounts: Sink<ImageRecord> = {
 *   name: 'box-counts',
 *   version: '1',
 *   needs: ['image', 'detections'],
 *   line: ({ image, detections }) => ({ image: image.id, boxes: detections.length }),
 * };
 * new Graph('boxes').from(coco({ annotations: 'instances.json' })).to(boxCounts);
 * ```
 */
export interface Sink<in R> {
  /** Name of the folder of its shards: lower-case words joined by hyphens. A graph numbers repeated names. */
  readonly name: string;
  readonly version: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Fields that a record must have. */
  readonly needs: readonly string[];
  /** Schema of each line; a record whose line does not match is rejected. */
  readonly schema?: SchemaName;
  /** Returns the JSON value of a record's line. */
  readonly line: (record: R, provenance: Omit<Provenance, 'origin' | 'tagger'>) => unknown;
}

/**
 * Writes files from the shards of a complete run, such as a page or an export. It must write the same bytes each time.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises';
 * import { type Finisher, Graph } from 'relflow';
 *
 * const imageList: Finisher = {
 *   name: 'image-list',
 *   version: '1',
 *   needs: ['scene-graphs'],
 *   finish: async (folder) => {
 *     const lines: string[] = [];
 *     for await (const { image } of folder.lines('scene-graphs', 'scene-graph')) lines.push(`${image.file}\n`);
 *     await writeFile(folder.pathTo('images.txt'), lines.join(''));
 *     return [];
 *   },
 * };
 * new Graph('images').finish(imageList);
 * ```
 */
export interface Finisher {
  readonly name: string;
  readonly version: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Names of the sinks whose shards it reads. */
  readonly needs: readonly string[];
  /**
   * Writes the files, each by atomic rename.
   * @param signal aborts when the run stops; if the finisher then throws the signal's reason, a resumed run calls it again
   * @returns the written files, for the manifest
   */
  readonly finish: (folder: RunFolder, signal: AbortSignal) => Promise<readonly OutputFile[]>;
}
