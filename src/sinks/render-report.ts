import { OptionError } from '../errors.js';
import { escapeHtml } from '../files/escape-html.js';
import { htmlPage } from '../files/html-page.js';
import { increment } from '../records/increment.js';
import type { SceneGraph, Tagger } from '../records/scene-graph.js';
import { reportStyle } from './report-style.js';

/** One image of the report. */
export interface ReportScene {
  readonly graph: SceneGraph;
  /** Data URI of a JPEG, PNG, WebP, AVIF or GIF, `data:image/jpeg;base64,…`; when omitted, the boxes are drawn on a plain background. */
  readonly imageDataUri?: string;
}

/** The content of a report page. */
export interface ReportContent {
  readonly title: string;
  readonly scenes: Iterable<ReportScene>;
  /** Plain text at the top of the page. */
  readonly note?: string;
  /** Figures of the whole run, shown at the top of the page. */
  readonly summary?: readonly { readonly label: string; readonly value: string | number }[];
}

/** With more boxes than this, a box has its name while one points at it, since the names would cover each other. */
const MAX_NAMED_BOXES = 12;

/** Maximum number of relations listed per image; the list ends with the number of further relations. */
const MAX_RELATIONS = 100;

const IMAGE_DATA_URI = /^data:image\/(?:jpeg|png|webp|avif|gif);base64,[A-Za-z0-9+/]+={0,2}$/;

/**
 * Returns an HTML page that shows images with their boxes, captions and relations. Pointing at a relation, or moving to it
 * with the tab key, highlights its subject (solid line) and object (dashed line).
 *
 * The page is self-contained: it has no script, and its content security policy forbids scripts and requests. File names,
 * captions, categories and predicates are escaped, whatever they contain.
 *
 * @throws OptionError when an image is not a base64 data URI of a supported type
 */
export function renderReport({ title, scenes, note, summary = [] }: ReportContent): string {
  const shown = [...scenes];
  const colors = new CategoryColors();
  const articles = shown.map((scene) => sceneArticle(scene, colors));
  const mostRelations = Math.max(0, ...shown.map(({ graph }) => Math.min(graph.relations.length, MAX_RELATIONS)));
  return htmlPage({
    title,
    style: reportStyle(mostRelations),
    body: `<header>
<h1>${escapeHtml(title)}</h1>
${summaryList(summary)}${taggerNotes(shown)}${note === undefined ? '' : `<p class="note" role="note">${escapeHtml(note)}</p>\n`}</header>
<main>
${articles.join('')}</main>
`,
  });
}

function summaryList(rows: NonNullable<ReportContent['summary']>): string {
  if (rows.length === 0) return '';
  const row = ({ label, value }: (typeof rows)[number]) =>
    `<div><dt>${escapeHtml(label)}</dt><dd>${escapeHtml(String(value))}</dd></div>`;
  return `<dl class="summary">${rows.map(row).join('')}</dl>\n`;
}

/** Names the taggers of the relations; a baseline is marked as one at the top of the page. */
function taggerNotes(scenes: readonly ReportScene[]): string {
  const taggers = new Map<string, Tagger>();
  for (const { graph } of scenes) {
    const { tagger } = graph.provenance;
    if (tagger) taggers.set(`${tagger.name} ${tagger.version} ${tagger.baseline}`, tagger);
  }
  return [...taggers.values()]
    .map(({ name, version, baseline }) => {
      const who = `<b>${escapeHtml(name)}</b> ${escapeHtml(version)}`;
      return baseline
        ? `<p class="note baseline" role="note"><b>Baseline.</b> The relations were scored by ${who}. No learned model looked at the images: read the confidences as a rule's guesses.</p>\n`
        : `<p class="note">Relations scored by ${who}.</p>\n`;
    })
    .join('');
}

function sceneArticle({ graph, imageDataUri }: ReportScene, colors: CategoryColors): string {
  const names = objectNames(graph);
  const relations = [...graph.relations]
    .sort((a, b) => (b.confidence ?? 1) - (a.confidence ?? 1))
    .slice(0, MAX_RELATIONS);
  return `<article class="scene">
<h2>${escapeHtml(graph.image.file)}</h2>
${figure(graph, relations, names, colors, imageDataUri)}
${captionList(graph)}${relationList(graph, relations, names)}</article>
`;
}

/** Returns a name for each object: its category, numbered if there are several: `horse 1`, `horse 2`. */
function objectNames({ objects }: SceneGraph): string[] {
  const total = new Map<string, number>();
  for (const { category } of objects) increment(total, category);
  const seen = new Map<string, number>();
  return objects.map(({ category }) => {
    const number = (seen.get(category) ?? 0) + 1;
    seen.set(category, number);
    return total.get(category)! > 1 ? `${category} ${number}` : category;
  });
}

function figure(
  graph: SceneGraph,
  relations: SceneGraph['relations'],
  names: readonly string[],
  colors: CategoryColors,
  imageDataUri: string | undefined,
): string {
  if (imageDataUri !== undefined && !IMAGE_DATA_URI.test(imageDataUri)) {
    throw new OptionError(
      'report page',
      `the image of '${graph.image.file}' is not a base64 data URI of JPEG, PNG, WebP, AVIF or GIF`,
    );
  }
  const [width, height] = [number(graph.image.width), number(graph.image.height)];
  const background = imageDataUri
    ? `<image href="${imageDataUri}" width="${width}" height="${height}" preserveAspectRatio="none"/>`
    : `<rect class="ground" width="${width}" height="${height}"/>`;
  const box = (index: number | null, role: string) => {
    const object = graph.objects[index ?? -1];
    if (index === null || !object) return '';
    const [x, y, w, h] = object.box.map(number);
    const score = object.score === undefined ? '' : ` ${object.score.toFixed(2)}`;
    return (
      `<g class="${role}" style="--colour:${colors.of(object.category)}">` +
      `<rect x="${x}" y="${y}" width="${w}" height="${h}"/>` +
      `<text x="${number(x! + 2)}" y="${number(Math.max(y!, 0) + 1)}" dy=".9em">${escapeHtml(names[index]! + score)}</text></g>`
    );
  };
  const pair = ({ subject, object }: SceneGraph['relations'][number], index: number) =>
    `<g class="pair pair-${index}">${box(object, 'object')}${box(subject, 'subject')}</g>`;
  const label = `${graph.objects.length} boxes on ${graph.image.file}`;
  // The font size follows the image size, so that labels have the same size on the page for every resolution.
  const size = number(Math.max(width, height) / 38);
  const crowded = graph.objects.length > MAX_NAMED_BOXES ? ' class="crowd"' : '';
  return `<svg${crowded} viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}" font-size="${size}">${background}${graph.objects
    .map((_, index) => box(index, 'box'))
    .join('')}${relations.map(pair).join('')}</svg>`;
}

function captionList({ captions }: SceneGraph): string {
  if (captions.length === 0) return '';
  const items = captions.map(
    ({ text, source }) => `<li>${escapeHtml(text)} <span class="source">${escapeHtml(source)}</span></li>`,
  );
  return `<ol class="captions">${items.join('')}</ol>\n`;
}

function relationList(graph: SceneGraph, shown: SceneGraph['relations'], names: readonly string[]): string {
  if (graph.relations.length === 0) return '<p class="none">No relations.</p>\n';
  const items = shown.map(({ subject, object, predicate, confidence, captions = [] }, index) => {
    const from =
      captions.length > 0
        ? ` <span class="source">caption ${captions.map((caption) => number(caption) + 1).join(', ')}</span>`
        : '';
    const score =
      confidence === undefined
        ? '<span class="score">by people</span>'
        : `<span class="score">${confidence.toFixed(2)}</span><span class="bar"><i style="width:${number(Math.min(Math.max(confidence, 0), 1) * 100)}%"></i></span>`;
    return (
      `<li class="relation-${index}" tabindex="0"><span class="triplet">${escapeHtml(names[subject] ?? '?')} ` +
      `<b>${escapeHtml(predicate)}</b> ${object === null ? '' : escapeHtml(names[object] ?? '?')}${from}</span>${score}</li>`
    );
  });
  const rest = graph.relations.length - shown.length;
  const more = rest > 0 ? `<p class="none">and ${rest} more</p>\n` : '';
  return `<ul class="relations">${items.join('')}</ul>\n${more}`;
}

/** Assigns each category a color, in the order of first use, with hues far apart. */
class CategoryColors {
  readonly #order = new Map<string, number>();

  of(category: string): string {
    const place = this.#order.get(category) ?? this.#order.size;
    this.#order.set(category, place);
    return `hsl(${Math.round((place * 137.5 + 210) % 360)} 85% 55%)`;
  }
}

/** Rounds to a tenth; values other than finite numbers become 0, so that attributes contain only numbers. */
function number(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 10) / 10 : 0;
}
