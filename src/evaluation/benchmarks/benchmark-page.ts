import { escapeHtml } from '../../files/escape-html.js';
import { htmlPage } from '../../files/html-page.js';
import { imageDataUri } from '../../files/image-data-uri.js';
import { readImageHeader } from '../../files/image-header.js';
import type { BenchmarkEvaluation, ClassCurve, Mistake } from './benchmark-report.js';

const WORST = 24;
/** More points than pixels show nothing more. */
const POINTS = 200;
const [WIDTH, HEIGHT] = [160, 100];
/** Size in pixels of the plain background of a mistake whose image is not shown, at least. */
const LEAST_SIDE = 64;

const STYLE = `body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)) }
figure { margin: 0 } figcaption { overflow-wrap: anywhere; font-size: 13px }
svg { width: 100%; height: auto; max-height: 60vh; background: #8881 }
polyline { fill: none; stroke: #2b6cb0; vector-effect: non-scaling-stroke; stroke-width: 1.5 }
rect { fill: none; stroke-width: 3; vector-effect: non-scaling-stroke } .subject { stroke: #e05d00 } .object { stroke: #2f7de1; stroke-dasharray: 7 4 }
`;

/** Options of `benchmarkPage`. */
export interface BenchmarkPageOptions {
  /** Folder of the images; when omitted, boxes of mistakes are drawn on a plain background. */
  readonly images?: string;
}

/**
 * Returns a page with the protocol and the metrics, precision-recall curves of the classes with the lowest average precision, and
 * the highest-scored mistakes with their boxes. The page loads nothing and runs no script.
 */
export async function benchmarkPage(
  { report, curves, mistakes }: BenchmarkEvaluation,
  { images }: BenchmarkPageOptions = {},
): Promise<string> {
  const refused = new Set<string>();
  const figures: string[] = [];
  for (const mistake of mistakes) figures.push(await mistakeFigure(mistake, images, refused));
  const worst = curves()
    .filter(({ positives }) => positives > 0)
    .sort((a, b) => a.ap - b.ap || b.positives - a.positives);
  const percent = (share: number | null) => (share === null ? '–' : (100 * share).toFixed(2));
  const metrics = Object.entries(report.metrics).map(([name, value]) => {
    const interval = report.intervals?.[name];
    return [name, `${percent(value)} %${interval ? ` (${percent(interval.low)}–${percent(interval.high)})` : ''}`];
  });
  return htmlPage({
    title: report.benchmark,
    style: STYLE,
    body: `<h1>${escapeHtml(report.benchmark)}</h1>
${table(metrics)}
<h2>Protocol</h2>
${table([['evaluator', report.evaluator], ...Object.entries(report.protocol).map(([name, value]) => [name, `${value}`])])}
<h2>Counts</h2>
${table(Object.entries(report.counts).map(([name, value]) => [name, value.toLocaleString('en-US')]))}
${
  worst.length === 0
    ? ''
    : `<h2>Classes with the lowest average precision, ${Math.min(WORST, worst.length)} of ${worst.length}</h2>
<p>Precision against recall, both from 0 to 1.</p>
<main>
${worst.slice(0, WORST).map(curveFigure).join('\n')}
</main>
`
}<h2>Wrong predictions with the highest scores</h2>
${refused.size > 0 ? `<p>${refused.size} images are outside the folder and not shown.</p>\n` : ''}<main>
${figures.join('\n')}
</main>
`,
  });
}

const table = (rows: readonly (readonly string[])[]) =>
  `<table>
${rows.map((row) => `<tr>${row.map((cell, k) => (k === 0 ? `<th>${escapeHtml(cell)}</th>` : `<td>${escapeHtml(cell)}</td>`)).join('')}</tr>`).join('\n')}
</table>`;

function curveFigure({ name, ap, positives, recall, precision }: ClassCurve): string {
  const step = Math.max(1, Math.ceil(recall.length / POINTS));
  const points: string[] = [];
  for (let k = 0; k < recall.length; k += step)
    points.push(`${(recall[k]! * WIDTH).toFixed(1)},${((1 - precision[k]!) * HEIGHT).toFixed(1)}`);
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}"><polyline points="${points.join(' ')}"/></svg><figcaption>${escapeHtml(name)}: AP ${(100 * ap).toFixed(1)} %, ${positives} true</figcaption></figure>`;
}

async function mistakeFigure(mistake: Mistake, folder: string | undefined, refused: Set<string>): Promise<string> {
  const { image, subject, predicate, object, score, reason } = mistake;
  const uri = folder === undefined ? null : await imageDataUri(folder, image, refused);
  const boxes = [subject.box, ...(object ? [object.box] : [])];
  const header = uri === null ? null : await readImageHeader(Buffer.from(uri.slice(uri.indexOf(',') + 1), 'base64'));
  const side = (end: 2 | 3) => Math.max(LEAST_SIDE, ...boxes.map((box) => Math.ceil(box[end]! * 1.05)));
  const { width, height } = header?.upright ?? { width: side(2), height: side(3) };
  const picture = uri === null ? '' : `<image href="${uri}" width="${width}" height="${height}"/>`;
  const drawn = boxes.map(
    ([x1, y1, x2, y2], k) =>
      `<rect class="${k === 0 ? 'subject' : 'object'}" x="${x1}" y="${y1}" width="${Math.max(0, x2! - x1!)}" height="${Math.max(0, y2! - y1!)}"/>`,
  );
  const triplet = `${subject.category} ${predicate}${object ? ` ${object.category}` : ''}`;
  return `<figure><svg viewBox="0 0 ${width} ${height}">${picture}${drawn.join('')}</svg><figcaption>${escapeHtml(triplet)}, ${score.toFixed(3)}, ${reason}<br>${escapeHtml(image)}</figcaption></figure>`;
}
