import { imageDataUri } from '../files/image-data-uri.js';
import { writeAtomically } from '../files/write-atomically.js';
import { Random } from '../records/random.js';
import type { SceneGraph } from '../records/scene-graph.js';
import { type ReportScene, renderReport } from './render-report.js';
import type { Finisher } from './sink.js';

/** Options of `reportPage`. */
export interface ReportPageOptions {
  readonly title: string;
  /** Folder of the images; when omitted, boxes are drawn on a plain background. */
  readonly images?: string;
  /** Number of scenes to show: the first with relations, then the first without. Default 12. */
  readonly scenes?: number;
  /** Shows scenes drawn at random by this seed, an integer, whether they have relations or not. */
  readonly sample?: number;
  /** Plain text at the top of the page. */
  readonly note?: string;
}

/** Name of the file that `reportPage` writes. */
export const REPORT_PAGE = 'report.html';

/**
 * Writes `report.html`, a self-contained HTML page with a few images, their boxes, captions and relations, when a run ends. The
 * graph needs the sink `sceneGraphs`.
 *
 * @example
 * ```ts
 * import { Graph, reportPage, sceneGraphLines, sceneGraphs } from 'relflow';
 *
 * const graph = new Graph('report');
 * graph.from(sceneGraphLines({ sceneGraphs: 'out' })).to(sceneGraphs());
 * graph.finish(reportPage({ title: 'COCO', images: 'val2017', scenes: 20 }));
 * ```
 */
export function reportPage(options: ReportPageOptions): Finisher {
  const { title, scenes = 12, sample, note } = options;
  return {
    name: 'report-page',
    version: '1',
    options: { title, scenes, ...(sample !== undefined && { sample }), ...(note !== undefined && { note }) },
    needs: ['scene-graphs'],
    finish: async (folder, signal) => {
      const { page, shown } = await buildReportPage(folder.lines('scene-graphs', 'scene-graph', signal), options);
      const written = await writeAtomically(folder.pathTo(REPORT_PAGE), [page]);
      return [{ sink: 'report-page', path: REPORT_PAGE, records: shown, ...written }];
    },
  };
}

/** Returns the page of scene graphs, the number of scenes on it, and the files of images that it cannot show. */
export async function buildReportPage(
  graphs: AsyncIterable<SceneGraph>,
  { title, images, scenes: count = 12, sample, note }: ReportPageOptions,
): Promise<{ page: string; shown: number; notShown: readonly string[] }> {
  const { shown, summary } = await selectScenes(graphs, count, sample);
  const scenes: ReportScene[] = [];
  const refused = new Set<string>();
  const absent: string[] = [];
  for (const graph of shown) {
    const uri = images === undefined ? null : await imageDataUri(images, graph.image.file, refused, graph.image);
    if (images !== undefined && uri === null && !refused.has(graph.image.file)) absent.push(graph.image.file);
    scenes.push({ graph, ...(uri !== null && { imageDataUri: uri }) });
  }
  if (refused.size > 0) summary.push({ label: 'images outside the folder, not shown', value: String(refused.size) });
  if (absent.length > 0) summary.push({ label: 'images missing or unreadable', value: String(absent.length) });
  return {
    page: renderReport({ title, scenes, summary, ...(note !== undefined && { note }) }),
    shown: scenes.length,
    notShown: [...refused, ...absent],
  };
}

/**
 * Selects the first scenes with relations and, if there are too few, the first without, or scenes at random by a seed, all in
 * their order.
 */
async function selectScenes(graphs: AsyncIterable<SceneGraph>, count: number, seed: number | undefined) {
  const related: SceneGraph[] = [];
  const others: SceneGraph[] = [];
  const drawn: { readonly place: number; readonly graph: SceneGraph }[] = [];
  const random = new Random(seed ?? 0);
  let images = 0;
  let relations = 0;
  let withRelation = 0;
  for await (const graph of graphs) {
    const place = images++;
    relations += graph.relations.length;
    if (graph.relations.length > 0) withRelation++;
    if (seed === undefined) {
      const kind = graph.relations.length > 0 ? related : others;
      if (kind.length < count) kind.push(graph);
      continue;
    }
    // Reservoir sampling: every image has the same chance.
    const slot = place < count ? place : Math.floor(random.next() * images);
    if (slot < count) drawn[slot] = { place, graph };
  }
  const summary = [
    { label: 'images', value: images.toLocaleString('en-US') },
    { label: 'with relations', value: withRelation.toLocaleString('en-US') },
    { label: 'relations', value: relations.toLocaleString('en-US') },
  ];
  if (seed === undefined) return { shown: [...related, ...others].slice(0, count), summary };
  return { shown: drawn.sort((a, b) => a.place - b.place).map(({ graph }) => graph), summary };
}
