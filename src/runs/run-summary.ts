import type { RunObservations } from '../graph/engine/run-observations.js';
import type { NodeDescription, StageCounts } from '../records/manifest.js';
import { emptyCounts } from '../records/stage-counts.js';
import type { CategoryCoverage } from './category-coverage.js';
import {
  categoriesWithoutWords,
  changedBoxes,
  droppedBoxes,
  type FindingText,
  otherUnits,
  rejectTexts,
  stageCounters,
} from './finding-texts.js';

/** Share from which a counted problem is a finding. */
const MIN_SHARE = 0.03;
/** Number of most frequent texts that a finding shows. */
const EXAMPLES = 5;

/** A counted problem that took more than a few percent. */
export interface Finding {
  readonly stage: string;
  /** Name of the counter, or reason of the rejects. */
  readonly reason: string;
  readonly count: number;
  /** Number of all things of this kind; null when it is unknown. */
  readonly of: number | null;
  /** One sentence: `10 of 10 images have no caption`. */
  readonly message: string;
  /** What a person can do about it. */
  readonly advice: string;
  /** The most frequent texts with their counts, or the message of the first reject. */
  readonly examples: readonly string[];
}

/** Why the output of a run has nothing of use. */
export type EmptyReason = 'no-images' | 'no-output' | 'no-pairs' | 'no-relations' | 'only-geometry';

/** What a run made of its input, and what went missing on the way. */
export interface RunSummary {
  readonly images: number;
  readonly imagesWritten: number;
  /** Null when the graph makes no relations, or an earlier process has made some and the counts do not say how many. */
  readonly imagesWithRelations: number | null;
  /** Null as `imagesWithRelations`. */
  readonly relations: number | null;
  /** In the order of the graph. */
  readonly findings: readonly Finding[];
  /** Null when the output has something of use. */
  readonly empty: EmptyReason | null;
}

/** What a summary knows besides the counts of stages. */
export interface SummaryDetails {
  /** Those of this process; without them the summary has no examples, and no share of the boxes. */
  readonly observations?: RunObservations | undefined;
  readonly categories?: CategoryCoverage | null;
}

/** Summarizes a run from the counts of its stages. */
export function summarizeRun(
  graph: readonly NodeDescription[],
  stages: Readonly<Record<string, StageCounts>>,
  { observations, categories = null }: SummaryDetails = {},
): RunSummary {
  const countsOf = (id: string) => stages[id] ?? emptyCounts();
  const sources = graph.filter(({ kind }) => kind === 'source');
  const sinks = graph.filter(({ kind }) => kind === 'sink');
  const sink = sinks.findLast(({ needs }) => needs.includes('relations')) ?? sinks.at(-1);
  const read = sources.reduce((sum, { id }) => sum + countsOf(id).out, 0);
  const images = sources.reduce((sum, { id }) => sum + rejectedImages(countsOf(id)), read);
  const imagesWritten = sink ? countsOf(sink.id).out : read;
  const { relations, imagesWithRelations } = relationsOf(graph, stages, sink, observations);
  const all = graph.flatMap((node) => [
    ...(node.name === 'match' && categories ? categoryFindings(node.id, categories) : []),
    ...findingsOf(node, graph, stages, images, observations),
  ]);
  // Without a total, the number of images is the measure.
  const findings = all.filter(({ count, of }) => of !== null || count >= images * MIN_SHARE);
  const hasPairs = graph.some(({ name }) => name === 'pair');
  const empty =
    images === 0
      ? 'no-images'
      : imagesWritten === 0
        ? 'no-output'
        : relations === 0
          ? 'no-relations'
          : isOnlyGeometry(graph, stages)
            ? 'only-geometry'
            : relations === null && hasPairs && !graph.some(makesRelations) && totalOf(stages, 'pairs') === 0
              ? 'no-pairs'
              : null;
  return { images, imagesWritten, imagesWithRelations, relations, findings, empty };
}

/** Says in one sentence why the output of a run has nothing of use; null when it has. */
export function emptyMessage({ images, empty, findings }: RunSummary): string | null {
  if (empty === null) return null;
  if (empty === 'no-images')
    return withCause('the input has no images', 1, findings, '; check that it is the right file');
  const what = {
    'no-output': `none of ${countOf(images, 'images')} reached the output`,
    'no-pairs': `no candidate pairs in ${countOf(images, 'images')}`,
    'no-relations': `no relations in ${countOf(images, 'images')}`,
    'only-geometry': `only relations from boxes in ${countOf(images, 'images')}`,
  }[empty];
  return withCause(what, images, findings);
}

/** Findings that follow from others. */
const derived: readonly string[] = ['images-without-box', 'images-without-pair', 'relations-without-category'];

/** Adds the first finding that took nearly all, else the one that took most; findings that follow from others come last. */
function withCause(what: string, images: number, findings: readonly Finding[], otherwise = ''): string {
  const share = ({ count, of }: Finding) => Math.min(1, count / (of ?? images));
  const primary = findings.filter(({ reason }) => !derived.includes(reason));
  const largest = [...primary].sort((a, b) => share(b) - share(a))[0];
  // What an early stage loses cannot be the fault of a later one.
  const cause = primary.find((finding) => share(finding) >= 0.9) ?? largest ?? findings[0];
  if (!cause) return what + otherwise;
  const examples = cause.examples.length > 0 ? ` (${cause.examples.join(', ')})` : '';
  return `${what}: ${cause.message}${examples}; ${cause.advice}`;
}

/** Returns whether the taggers, which see what captions or models say, have kept nothing, so that boxes alone give relations. */
function isOnlyGeometry(graph: readonly NodeDescription[], stages: Readonly<Record<string, StageCounts>>): boolean {
  const tagged = graph.filter(({ name }) => name === 'tag').map(({ id }) => stages[id]?.counts['relations'] ?? 0);
  return tagged.length > 0 && graph.some(({ name }) => name === 'geometry') && tagged.every((count) => count === 0);
}

const makesRelations = ({ adds }: NodeDescription) => adds.includes('relations');

function totalOf(stages: Readonly<Record<string, StageCounts>>, name: string): number {
  return Object.values(stages).reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0);
}

function rejectedImages({ in: read, out, rejected }: StageCounts): number {
  let images = 0;
  for (const [reason, count] of Object.entries(rejected)) if (unitOf(reason) === undefined) images += count;
  // A record may have rejects of its own; those do not count as further images.
  return Math.min(images, Math.max(0, read - out));
}

const unitOf = (reason: string) => otherUnits.find(([pattern]) => pattern.test(reason))?.[1];

/** Relations of the output: those that this process has written, if it has written all, else those of the counts. */
function relationsOf(
  graph: readonly NodeDescription[],
  stages: Readonly<Record<string, StageCounts>>,
  sink: NodeDescription | undefined,
  observations: RunObservations | undefined,
): Pick<RunSummary, 'relations' | 'imagesWithRelations'> {
  const makers = graph.filter(makesRelations);
  if (!sink || makers.length === 0) return { relations: null, imagesWithRelations: null };
  const counts = stages[sink.id] ?? emptyCounts();
  const written = observations?.written(sink.id);
  if (written && written.records === counts.out)
    return { relations: written.relations, imagesWithRelations: written.withRelations };
  const [taggers, adders] = ['tag', 'geometry'].map((maker) => makers.filter(({ name }) => name === maker)) as [
    NodeDescription[],
    NodeDescription[],
  ];
  // Only if all branches that tag then add relations of boxes, the images without any are known.
  const isKnown = adders.length === 0 || adders.length === taggers.length;
  if (taggers.length + adders.length < makers.length || !isKnown) return { relations: null, imagesWithRelations: null };
  const countsOf = ({ id }: NodeDescription) => stages[id] ?? emptyCounts();
  const relations = makers.reduce((sum, node) => sum + (countsOf(node).counts['relations'] ?? 0), 0);
  const imagesWithRelations = (adders.length > 0 ? adders : taggers)
    .map(countsOf)
    .reduce((sum, { out, counts: made }) => sum + out - (made['images-without-relation'] ?? 0), 0);
  return { relations, imagesWithRelations };
}

function findingsOf(
  node: NodeDescription,
  graph: readonly NodeDescription[],
  stages: Readonly<Record<string, StageCounts>>,
  images: number,
  observations: RunObservations | undefined,
): Finding[] {
  const stage = stages[node.id];
  if (!stage) return [];
  const isSource = node.kind === 'source';
  const findings: Finding[] = [];
  for (const [reason, count] of Object.entries(stage.rejected)) {
    const unit = isSource ? unitOf(reason) : undefined;
    // A box that is rejected is counted as well.
    if (unit === 'boxes' && stage.counts[reason] !== undefined) continue;
    const { problem, advice } = rejectTexts[reason] ?? {
      problem: `are rejected by ${node.id} (${reason})`,
      advice: 'the rejects in the output folder name each of them',
    };
    const of = unit === undefined ? (isSource ? images : stage.in) : null;
    const first = observations?.firstReject(node.id, reason);
    const examples = first ? [first.message] : [];
    add(findings, { stage: node.id, reason, count, of, examples }, { unit: unit ?? 'images', problem, advice });
  }
  if (stage.filtered > 0 && stage.out === 0 && stage.filtered > stage.in / 2)
    add(
      findings,
      { stage: node.id, reason: 'filtered', count: stage.filtered, of: stage.in, examples: [] },
      { unit: 'images', problem: `are dropped by the filter '${node.id}'`, advice: 'change or leave out that filter' },
    );
  if (isSource) findings.push(...boxFindings(node.id, stage, observations));
  for (const [reason, text] of Object.entries(stageCounters)) {
    const count = stage.counts[reason] ?? 0;
    const of = totalFor(text, reason, count, stage, graph, stages);
    const frequent = observations?.mostFrequent(node.id, reason, EXAMPLES) ?? [];
    if (frequent.length === 0) frequent.push(...countedTexts(stage, reason));
    const examples = frequent.map(({ text: word, count: times }) => `${word} ${numberText(times)}`);
    add(findings, { stage: node.id, reason, count, of, examples }, text);
  }
  return findings;
}

/** Returns the most frequent texts that a stage has counted by name itself, as `category-unknown-to-tagger: forklift`. */
function countedTexts({ counts }: StageCounts, reason: string): { text: string; count: number }[] {
  const prefix = `${reason}: `;
  const counted = Object.entries(counts).filter(([name]) => name.startsWith(prefix));
  const texts = counted.map(([name, count]) => ({ text: name.slice(prefix.length), count }));
  return texts.sort((a, b) => b.count - a.count).slice(0, EXAMPLES);
}

function categoryFindings(stage: string, { names, unmatched }: CategoryCoverage): Finding[] {
  const findings: Finding[] = [];
  const examples = unmatched.length > EXAMPLES ? [...unmatched.slice(0, EXAMPLES), '…'] : unmatched;
  const found = { stage, reason: 'categories-without-words', count: unmatched.length, of: names.length, examples };
  add(findings, found, categoriesWithoutWords);
  return findings;
}

function boxFindings(id: string, stage: StageCounts, observations: RunObservations | undefined): Finding[] {
  const findings: Finding[] = [];
  const dropped = Object.keys(droppedBoxes).reduce((sum, name) => sum + (stage.counts[name] ?? 0), 0);
  // After a resume, the boxes of earlier records are estimated from those that this process has read.
  const { records = 0, detections = 0, recordsWithoutDetections = 0 } = observations ?? {};
  const kept = records > 0 ? Math.round((detections / records) * stage.out) : null;
  const of = kept === null ? null : kept + dropped;
  for (const [reason, text] of Object.entries({ ...droppedBoxes, ...changedBoxes })) {
    const count = stage.counts[reason] ?? 0;
    const first = observations?.firstReject(id, reason);
    if (count > 0) add(findings, { stage: id, reason, count, of, examples: first ? [first.message] : [] }, text);
  }
  if (recordsWithoutDetections > 0)
    add(
      findings,
      { stage: id, reason: 'images-without-box', count: recordsWithoutDetections, of: records, examples: [] },
      { unit: 'images', problem: 'have no box', advice: 'check that the annotation file has boxes for them' },
    );
  return findings;
}

/** Returns the number of all things of a counter's kind; null when it is unknown. */
function totalFor(
  { unit, rest }: FindingText,
  reason: string,
  count: number,
  stage: StageCounts,
  graph: readonly NodeDescription[],
  stages: Readonly<Record<string, StageCounts>>,
): number | null {
  if (rest) return rest.reduce((sum, name) => sum + (stage.counts[name] ?? 0), count);
  if (unit === 'images') return stage.in;
  if (unit !== 'captions') return null;
  const captions = graph.reduce((sum, { id }) => sum + (stages[id]?.counts['captions'] ?? 0), 0);
  // The captions that were dropped are not among those that the stage has passed on.
  return reason === 'captions-without-relation' || reason === 'not-english' ? captions : captions + count;
}

function add(
  findings: Finding[],
  found: Omit<Finding, 'message' | 'advice'>,
  { unit, problem, advice }: FindingText,
): void {
  const { count, of } = found;
  if (count === 0 || (of !== null && count < of * MIN_SHARE)) return;
  const amount = of === null || of < count ? countOf(count, unit) : `${numberText(count)} of ${countOf(of, unit)}`;
  findings.push({ ...found, message: `${amount} ${count === 1 ? singular(problem) : problem}`, advice });
}

/** Returns a whole number with separators: `1,199`. */
export const numberText = (value: number) => value.toLocaleString('en-US');

/** Returns a number with its unit: `1 image`, `2 images`. */
export function countOf(count: number, unit: string): string {
  return `${numberText(count)} ${count === 1 ? unit.replace(/ies$/, 'y').replace(/(?<=x)es$|s$/, '') : unit}`;
}

/** Verbs of `FindingText.problem` whose singular is not the word with an `s`. */
const singularVerbs: Readonly<Record<string, string>> = {
  have: 'has',
  are: 'is',
  were: 'was',
  reach: 'reaches',
  go: 'goes',
  cannot: 'cannot',
};

/** Returns what a finding says about one thing: `have no box in their image` becomes `has no box in its image`. */
function singular(problem: string): string {
  const [verb = '', ...others] = problem.split(' ');
  const rest = others
    .join(' ')
    .replace(/\btheir\b/g, 'its')
    .replace(/, and (go|are) /, (_, one: string) => `, and ${singularVerbs[one]} `)
    .replace(/ (and|but) (are|were) /, (_, word: string, one: string) => ` ${word} ${singularVerbs[one]} `);
  return `${singularVerbs[verb] ?? `${verb}s`} ${rest}`;
}
