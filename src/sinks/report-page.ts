import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { writeAtomically } from '../files/write-atomically.js';
import type { SceneGraph } from '../records/scene-graph.js';
import type { RunFolder } from '../run-folder/run-folder.js';
import { type ReportScene, renderReport } from './render-report.js';
import type { Finisher } from './sink.js';

export interface ReportPageOptions {
  readonly title: string;
  /** Folder of the images; without it boxes are drawn on plain ground. */
  readonly images?: string;
  /** How many scenes to show, those with relations first. Default 12. */
  readonly scenes?: number;
  /** What a reader should know before anything else, as plain text. */
  readonly note?: string;
}

const MAX_IMAGE_BYTES = 4 * 2 ** 20;
const MIME: Readonly<Record<string, string>> = { '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png' };

/** A self-contained HTML page, `report.html`, with a few images, their boxes, captions and relations. */
export function reportPage(options: ReportPageOptions): Finisher {
  const { title, scenes = 12, note } = options;
  return {
    name: 'report-page',
    version: '1',
    options: { title, scenes, ...(note !== undefined && { note }) },
    needs: ['scene-graphs'],
    finish: async (folder, signal) => {
      const { page, shown } = await buildReportPage(folder, options, signal);
      const written = await writeAtomically(folder.pathTo('report.html'), [page]);
      return [{ sink: 'report-page', path: 'report.html', records: shown, ...written }];
    },
  };
}

/** The page of a run, and how many scenes it shows. */
export async function buildReportPage(
  folder: RunFolder,
  { title, images, scenes: count = 12, note }: ReportPageOptions,
  signal?: AbortSignal,
): Promise<{ page: string; shown: number }> {
  const { shown, summary } = await selectScenes(folder, count, signal);
  const scenes: ReportScene[] = [];
  for (const graph of shown) {
    const imageDataUri = images === undefined ? null : await dataUri(join(images, graph.image.file));
    scenes.push({ graph, ...(imageDataUri !== null && { imageDataUri }) });
  }
  return {
    page: renderReport({ title, scenes, summary, ...(note !== undefined && { note }) }),
    shown: scenes.length,
  };
}

/** The first scenes with relations, filled up with others, in the order of the run. */
async function selectScenes(folder: RunFolder, count: number, signal?: AbortSignal) {
  const related: SceneGraph[] = [];
  const others: SceneGraph[] = [];
  let images = 0;
  let relations = 0;
  let withRelation = 0;
  for await (const graph of folder.lines('scene-graphs', 'scene-graph', signal)) {
    images++;
    relations += graph.relations.length;
    if (graph.relations.length > 0) withRelation++;
    const kind = graph.relations.length > 0 ? related : others;
    if (kind.length < count) kind.push(graph);
  }
  const summary = [
    { label: 'images', value: images.toLocaleString('en-US') },
    { label: 'with relations', value: withRelation.toLocaleString('en-US') },
    { label: 'relations', value: relations.toLocaleString('en-US') },
  ];
  return { shown: [...related, ...others].slice(0, count), summary };
}

async function dataUri(file: string): Promise<string | null> {
  const mime = MIME[extname(file).toLowerCase()];
  const found = await stat(file).catch(() => null);
  if (mime === undefined || !found?.isFile() || found.size > MAX_IMAGE_BYTES) return null;
  return `data:${mime};base64,${(await readFile(file)).toString('base64')}`;
}
