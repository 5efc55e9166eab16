import { basename, extname } from 'node:path';
import { OptionError } from '../../errors.js';
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
  /** Size of all files in bytes. */
  readonly bytes: number;
  readonly images: number;
  /** Number of relations; for a format of candidates, of candidate relations. */
  readonly relations: number;
  /** What the format cannot carry as it is, by name: how often, and an example. */
  readonly notes: Readonly<Record<string, { readonly count: number; readonly example: string }>>;
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
  const output = new ExportOutput(path, isFolder);
  const notes = new Map<string, { count: number; example: string }>();
  const input = exportInput(source, definition, path, options, notes);
  try {
    await definition.write(input, output);
    const { images, relations } = input.totals();
    if (isFolder)
      await output.write(EXPORT_MANIFEST, manifestText(format, options, output.files, images, relations, notes));
    await output.commit();
    const bytes = output.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
    return { files: output.files, bytes, images, relations, notes: Object.fromEntries(notes) };
  } catch (error) {
    await output.abandon();
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
  for (const option of ['images', 'imageFiles', 'scenes', 'license'] as const) {
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

/** What a format reads, and the counts of the first reading. */
function exportInput(
  source: ExportSource,
  { file }: ExportFormat,
  path: string,
  options: ExportOptions,
  notes: Map<string, { count: number; example: string }>,
): ExportInput & { totals: () => { images: number; relations: number } } {
  const splits = options.split === undefined ? null : splitter(options.split, options.seed).names;
  let contents: Promise<ExportContents> | undefined;
  const note: ExportInput['note'] = (reason, example) => {
    const found = notes.get(reason);
    if (found) found.count++;
    else notes.set(reason, { count: 1, example });
  };
  // Formats read the graphs several times; what the filter drops is counted in the first reading only.
  let isFirst = true;
  const totals = { images: 0, relations: 0 };
  async function* graphs() {
    const isCounted = isFirst;
    isFirst = false;
    const filter = graphFilter(options, isCounted ? note : () => {});
    for await (const split of filter(source.graphs())) {
      if (isCounted) {
        totals.images++;
        totals.relations += split.graph.relations.length;
      }
      yield split;
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
        totals.images++;
        totals.relations += set.candidates.reduce((sum, { texts }) => sum + texts.length, 0);
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
    note,
    totals: () => totals,
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
  notes: ReadonlyMap<string, { readonly count: number }>,
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
