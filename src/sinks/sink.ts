import type { OutputFile } from '../records/manifest.js';
import type { Provenance } from '../records/scene-graph.js';
import type { SchemaName } from '../records/schemas.js';
import type { RunFolder } from '../run-folder/run-folder.js';

/** Turns records into lines of JSON. The run cuts them into shards, one folder a sink. */
export interface Sink<in R> {
  /** Lower case; the folder of its shards. */
  readonly name: string;
  readonly version: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Fields that a record must have. */
  readonly needs: readonly string[];
  /** Each line is checked against this schema; a record that does not fit goes to the rejects. */
  readonly schema?: SchemaName;
  /** The JSON value of a record's line. */
  readonly line: (record: R, provenance: Omit<Provenance, 'origin' | 'tagger'>) => unknown;
}

/** Makes something of a whole run when its shards are done. Has to give the same bytes each time. */
export interface Finisher {
  readonly name: string;
  readonly version: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** Sinks whose shards it reads. */
  readonly needs: readonly string[];
  /**
   * @param signal aborted where the run is to stop; a finisher that then throws its reason is asked again by a resume
   * @returns the files it wrote, by atomic rename
   */
  readonly finish: (folder: RunFolder, signal: AbortSignal) => Promise<readonly OutputFile[]>;
}
