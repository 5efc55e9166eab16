import type { CandidateSet, SceneGraph } from '../../records/scene-graph.js';
import type { ExportContents } from './export-contents.js';
import type { ExportOptions } from './export-options.js';
import type { ExportOutput } from './export-output.js';
import type { SplitGraph } from './split-graph.js';

/** A format of files for other programs. */
export interface ExportFormat {
  /** The sink of a run that the format reads. */
  readonly sink: 'scene-graphs' | 'candidates';
  /** Whether the format is one file, or a folder of several. */
  readonly kind: 'file' | 'folder';
  /** The default name of the file or folder. */
  readonly file: string;
  readonly summary: string;
  /** The options, besides those of every format, that it takes. */
  readonly takes?: readonly (keyof ExportOptions)[];
  /** Writes the files, reading the input as often as it needs. */
  readonly write: (input: ExportInput, output: ExportOutput) => Promise<void>;
}

/** What a format reads. */
export interface ExportInput {
  /** Reads the scene graphs from the start, in the same order each time, with what the filter keeps of them. */
  readonly graphs: () => AsyncIterable<SplitGraph>;
  /** Reads the scene graphs of one split, or all of them if it is omitted. */
  readonly sceneGraphs: (split?: string) => AsyncIterable<SceneGraph>;
  /** Reads the candidates of a run from the start. */
  readonly candidates: () => AsyncIterable<CandidateSet>;
  /** Resolves to what the scene graphs contain, found in a pass of its own, once. */
  readonly contents: () => Promise<ExportContents>;
  /** Names of the splits; null if the set is not split. */
  readonly splits: readonly string[] | null;
  /** The files of a format of one file: one for each split, named after it, or a single one. */
  readonly parts: readonly { readonly file: string; readonly split?: string }[];
  readonly options: ExportOptions;
  /** The file or folder to write, for messages. */
  readonly path: string;
  /** How the scene graphs were made, for cards. */
  readonly about: ExportAbout;
  /** Counts something that the format cannot carry as it is, under a kebab-case name, with an example; once unless `count` says more. */
  readonly note: (reason: string, example: string, count?: number) => void;
}

/** How scene graphs were made. */
export interface ExportAbout {
  /** Base name of the run's folder or of the input file. */
  readonly name: string;
  /** Base names of the files that the scene graphs come from, with their SHA-256 if known. */
  readonly inputs: readonly { readonly file: string; readonly sha256?: string }[];
  /** The stages in order, such as `caption`, `match` or `tag`, with their versions. */
  readonly stages: readonly string[];
}
