import { escapeHtml } from '../files/escape-html.js';
import { htmlPage } from '../files/html-page.js';
import { writeAtomically } from '../files/write-atomically.js';
import { type TrainingEvent, TrainingLog } from './training-log.js';

interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

type Point = readonly [step: number, value: number];

interface Chart {
  readonly title: string;
  readonly logarithmic: boolean;
  readonly series: readonly Series[];
}

const [WIDTH, HEIGHT] = [640, 240];
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 12, 12, 28];
const COLORS = ['#2b6cb0', '#c05621', '#2f855a', '#805ad5', '#b83280', '#975a16'];
const STYLE = `body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)) }
figure { margin: 0 } figcaption { font-weight: 600 }
svg { width: 100%; height: auto } svg text { font-size: 12px; fill: currentColor }
.key { margin: 0 1rem 0 0; white-space: nowrap; font-size: 13px }
`;
/** More points than pixels show nothing more. */
const MAX_POINTS = 400;

/**
 * Writes a training's log as an HTML page, see `curvesPage`.
 * @param title shown on the page: a preset's name
 */
export async function writeCurves(log: string, page: string, title: string): Promise<void> {
  const events: TrainingEvent[] = [];
  for await (const event of TrainingLog.read(log))
    if (event.event === 'step' || event.event === 'evaluation') events.push(event);
  await writeAtomically(page, [curvesPage(events, title)]);
}

/**
 * Draws curves of loss, its parts, gradient norm, learning rate and speed. The page loads nothing and runs no script.
 * @returns HTML
 */
export function curvesPage(events: readonly TrainingEvent[], title: string): string {
  const steps = events.flatMap((event) => (event.event === 'step' ? [event] : []));
  const evaluations = events.flatMap((event) => (event.event === 'evaluation' ? [event] : []));
  const perStep = (name: string, value: (step: (typeof steps)[number]) => number): Series => ({
    name,
    points: thinned(steps.map((step) => [step.step, value(step)])),
  });
  const parts = Object.keys(steps[0]?.parts ?? {}) as (keyof (typeof steps)[number]['parts'])[];
  const validation = (name: string, value: (evaluation: (typeof evaluations)[number]) => number): Series => ({
    name,
    points: evaluations.map((evaluation) => [evaluation.step, value(evaluation)]),
  });
  const charts: Chart[] = [
    {
      title: 'loss',
      logarithmic: false,
      series: [perStep('training', ({ loss }) => loss), validation('validation', ({ loss }) => loss)],
    },
    {
      title: 'parts of the loss',
      logarithmic: true,
      series: parts.map((name) => perStep(name, (step) => step.parts[name])),
    },
    {
      title: 'parts of the loss, validation',
      logarithmic: true,
      series: parts.map((name) => validation(name, (evaluation) => evaluation.parts[name])),
    },
    { title: 'gradient norm', logarithmic: true, series: [perStep('norm', (step) => step.gradientNorm)] },
    { title: 'learning rate', logarithmic: true, series: [perStep('rate', (step) => step.learningRate)] },
    {
      title: 'images per second',
      logarithmic: false,
      series: [perStep('images', ({ images, seconds }) => images / (seconds || 1))],
    },
    {
      title: 'share of a step spent waiting for data',
      logarithmic: false,
      series: [perStep('share', ({ waited, seconds }) => (seconds > 0 ? waited / seconds : 0))],
    },
  ];
  const last = steps.at(-1);
  return htmlPage({
    title,
    style: STYLE,
    body: `<h1>${escapeHtml(title)}</h1>
<p>${last ? `${last.step} steps, loss ${digits(last.loss)}` : 'no steps yet'}</p>
<main>
${charts
  .filter(({ series }) => series.some(({ points }) => points.length > 0))
  .map(figure)
  .join('\n')}
</main>
`,
  });
}

/** Averages neighboring points until there are at most `MAX_POINTS`. */
function thinned(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil(points.length / MAX_POINTS);
  if (size <= 1) return points;
  const mean = (part: readonly Point[], k: 0 | 1) => part.reduce((sum, point) => sum + point[k], 0) / part.length;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, k) => {
    const part = points.slice(k * size, (k + 1) * size);
    return [mean(part, 0), mean(part, 1)] as const;
  });
}

function figure({ title, logarithmic, series }: Chart): string {
  const isDrawable = (value: number) => Number.isFinite(value) && (!logarithmic || value > 0);
  const shown = series.map(({ name, points }) => ({ name, points: points.filter(([, value]) => isDrawable(value)) }));
  const all = shown.flatMap(({ points }) => points);
  const scale = (value: number) => (logarithmic ? Math.log10(value) : value);
  const values = all.map(([, value]) => scale(value));
  const [low, high] = range(values.length > 0 ? values : [0, 1]);
  const steps = all.map(([step]) => step);
  const [first, last] = range(steps.length > 0 ? steps : [0, 1]);
  const x = (step: number) => LEFT + ((step - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - ((scale(value) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const lines = shown.map(({ points }, k) => {
    const color = COLORS[k % COLORS.length];
    const position = ([step, value]: Point) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`;
    return points.length === 1
      ? `<circle cx="${x(points[0]![0])}" cy="${y(points[0]![1])}" r="2" fill="${color}"/>`
      : `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points.map(position).join(' ')}"/>`;
  });
  const marks = [0, 0.5, 1].map((share) => {
    const level = low + share * (high - low);
    const value = logarithmic ? 10 ** level : level;
    const at = y(value).toFixed(1);
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="currentColor" stroke-opacity=".15"/><text x="${LEFT - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${digits(value)}</text>`;
  });
  const legend = shown.map(
    ({ name }, k) => `<span class="key"><span style="color:${COLORS[k % COLORS.length]}">●</span> ${name}</span>`,
  );
  return `<figure><figcaption>${title}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${marks.join('')}<text x="${LEFT}" y="${HEIGHT - 8}">${Math.round(first)}</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">step ${Math.round(last)}</text>${lines.join('')}</svg>${shown.length > 1 ? legend.join('') : ''}</figure>`;
}

/** Returns the least and the largest value, made distinct so that a scale can be divided by their difference. */
function range(values: readonly number[]): readonly [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

const digits = (value: number): string =>
  value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e5)
    ? value.toExponential(1)
    : `${Number(value.toPrecision(3))}`;
