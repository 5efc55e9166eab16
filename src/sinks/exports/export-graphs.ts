import { basename, extname } from 'node:path';
import { OptionError, RelflowError } from '../../errors.js';
import { isS3Address } from '../../files/s3/s3-address.js';
import { version } from '../../package-info.js';
import type { ExportManifest } from '../../records/export-manifest.js';
import type { CandidateSet, SceneGraph } from '../../records/scene-graph.js';
import { checkOutputFile } from '../../run-folder/check-output-file.js';
import { checkOutputFolder, EXPORT_MANIFEST } from './check-output-folder.js';
import { ContentsCounter, type ExportContents } from './export-contents.js';
import type { ExportAbout, ExportFormat, ExportInput } from './export-format.js';
import { EXPORT_FORMATS, type ExportFormatName } from './export-formats.js';
import { checkExportOptions, type ExportOptions } from './export-options.js';
import { ExportOutput } from './export-output.js';
import type { ExportedFile } from './exported-file.js';
import { graphFilter } from './filter-graphs.js';
import { type NoteCount, NoteCounts } from './note-counts.js';
import { splitter } from './split.js';
import type { SplitGraph } from './split-graph.js';
import { checkStoreOutput } from './store-output.js';

/** The scene graphs that an export reads, as often as a format needs. */
export interface ExportSource {
  readonly graphs: () => AsyncIterable<SceneGraph>;
  /** The candidates, for formats of candidates. */
  readonly candidates?: () => AsyncIterable<CandidateSet>;
  readonly about: ExportAbout;
}

/** What an export has written. */
export interface ExportResult {
  readonly files: readonly ExportedFile[];
  /** Number of files that the same export had finished when it was interrupted, and that were not written again. */
  readonly reused: number;
  /** Size of all files in bytes. */
  readonly bytes: number;
  readonly images: number;
  /** Number of relations; for a format of candidates, of candidate relations. */
  readonly relations: number;
  /** What the format cannot carry as it is, by name: how often, and an example. */
  readonly notes: Readonly<Record<string, NoteCount>>;
}

/**
 * Writes scene graphs to a file or folder in another format, which appears when it is complete.
 *
 * @param path the file or, for a format of several files and for a split set, the folder to write; or `s3://bucket/key`
 * @throws OptionError when an option is out of range or has no effect on the format
 * @throws OutputError when something is at the path that may not be replaced, or it cannot be written
 *
 * @example
 * ```ts
 * import { exportGraphs, RunFolder } from 'relflow';
 *
 * const source = {
 *   graphs: () => new RunFolder('out').lines('scene-graphs', 'scene-graph'),
 *   about: { name: 'own-set', inputs: [], stages: [] },
 * };
 * await exportGraphs(source, 'huggingface', 'dataset', { split: '0.9/0.1', images: 'photos' });
 * ```
 */
export async function exportGraphs(
  source: ExportSource,
  format: ExportFormatName,
  path: string,
  { overwrite = false, ...options }: ExportOptions & { readonly overwrite?: boolean } = {},
): Promise<ExportResult> {
  checkFormatOptions(format, options);
  const isFolder = isFolderExport(format, options);
  if (isS3Address(path)) {
    if (options.imageFiles === 'link')
      throw new OptionError('export', "imageFiles 'link' has no effect in a store, which has no links; use 'copy'");
    await checkStoreOutput(path, isFolder, overwrite);
  } else await (isFolder ? checkOutputFolder : checkOutputFile)(path, overwrite);
  return writeExport(source, format, path, options);
}

function isFolderExport(format: ExportFormatName, { split }: ExportOptions): boolean {
  return EXPORT_FORMATS[format].kind === 'folder' || split !== undefined;
}

/** Writes an export whose options and place have been checked. */
export async function writeExport(
  source: ExportSource,
  format: ExportFormatName,
  path: string,
  options: ExportOptions,
): Promise<ExportResult> {
  const definition = EXPORT_FORMATS[format];
  const isFolder = isFolderExport(format, options);
  const output = await ExportOutput.open(path, isFolder, { format, options, version });
  const formatNotes = new NoteCounts();
  const input = exportInput(source, definition, path, options, formatNotes);
  try {
    await definition.write(input, output);
    const { images, relations, notes: filterNotes } = input.counts();
    const notes = new Map([...filterNotes.counts, ...formatNotes.counts]);
    if (isFolder)
      await output.write(EXPORT_MANIFEST, manifestText(format, options, output.files, images, relations, notes));
    await output.commit();
    const bytes = output.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
    return { files: output.files, reused: output.reused, bytes, images, relations, notes: Object.fromEntries(notes) };
  } catch (error) {
    const kept = await output.abandon();
    // The message alone changes, so that programs find the same error.
    if (kept > 0 && error instanceof RelflowError)
      error.message += `; ${kept} finished files are kept, and the same export goes on with them`;
    throw error;
  }
}

/**
 * Checks the options of an export.
 * @throws OptionError when one is out of range or has no effect on the format
 */
export function checkFormatOptions(format: ExportFormatName, options: ExportOptions): void {
  checkExportOptions(options);
  const definition: ExportFormat = EXPORT_FORMATS[format];
  for (const option of ['images', 'imageFiles', 'scenes', 'sample', 'license'] as const) {
    if (options[option] === undefined || definition.takes?.includes(option)) continue;
    const takers = Object.entries<ExportFormat>(EXPORT_FORMATS).flatMap(([name, { takes }]) =>
      takes?.includes(option) ? name : [],
    );
    throw new OptionError('export', `${option} has no effect on the format '${format}', only on ${takers.join(', ')}`);
  }
  if (definition.sink !== 'candidates') return;
  const filter = (['where', 'minConfidence', 'split', 'relatedOnly', 'categories', 'predicates'] as const).find(
    (option) => options[option],
  );
  if (filter)
    throw new OptionError('export', `${filter} has no effect on the format '${format}', which has candidates`);
}

/** What a reading of the scene graphs has counted. */
class Counts {
  /** Whether the reading came to its end. */
  isWhole = false;
  images = 0;
  relations = 0;
  readonly notes = new NoteCounts();
}

/** What a format reads, and the counts of the readings. */
function exportInput(
  source: ExportSource,
  { file }: ExportFormat,
  path: string,
  options: ExportOptions,
  notes: NoteCounts,
): ExportInput & { counts: () => Counts } {
  const splits = options.split === undefined ? null : splitter(options.split, options.seed).names;
  let contents: Promise<ExportContents> | undefined;
  // Formats read the graphs several times, and some stop a reading; what counts is the first one to the end.
  let counted = new Counts();
  async function* graphs() {
    const counts = new Counts();
    const filter = graphFilter(options, (reason, example) => counts.notes.add(reason, example));
    try {
      for await (const split of filter(source.graphs())) {
        counts.images++;
        counts.relations += split.graph.relations.length;
        yield split;
      }
      counts.isWhole = true;
    } finally {
      if (!counted.isWhole) counted = counts;
    }
  }
  return {
    graphs,
    sceneGraphs: async function* (only) {
      for await (const { graph, split } of graphs()) if (only === undefined || split === only) yield graph;
    },
    candidates: async function* () {
      if (!source.candidates) throw new OptionError('export', 'the input has no candidates');
      for await (const set of source.candidates()) {
        counted.images++;
        counted.relations += set.candidates.reduce((sum, { texts }) => sum + texts.length, 0);
        yield set;
      }
    },
    contents: () => {
      contents ??= readContents(graphs(), options);
      return contents;
    },
    splits,
    parts: splits ? splits.map((split) => ({ split, file: `${split}${extname(file)}` })) : [{ file }],
    options,
    path,
    about: source.about,
    note: (reason, example, count) => notes.add(reason, example, count),
    counts: () => counted,
  };
}

async function readContents(graphs: AsyncIterable<SplitGraph>, options: ExportOptions): Promise<ExportContents> {
  const counter = new ContentsCounter(options);
  for await (const graph of graphs) counter.add(graph);
  return counter.contents();
}

function manifestText(
  format: string,
  options: ExportOptions,
  files: readonly ExportedFile[],
  images: number,
  relations: number,
  notes: ReadonlyMap<string, NoteCount>,
): string[] {
  const counts = Object.fromEntries([...notes].map(([name, { count }]) => [name, count]));
  const manifest: ExportManifest = {
    format: 'relflow.export/1',
    relflow: version,
    export: format,
    options: { ...options, ...(options.images !== undefined && { images: basename(options.images) }) },
    images,
    relations,
    notes: counts,
    files: [...files],
  };
  return [`${JSON.stringify(manifest, null, 1)}\n`];
}
