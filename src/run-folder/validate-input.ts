import { tmpdir } from 'node:os';
import { readCaptionElements } from '../captioners/caption-forms.js';
import { imagePath } from '../files/image-path.js';
import { inputFile } from '../files/input-files.js';
import { jsonLines } from '../files/json/json-lines.js';
import { elementsOf, fieldsOf, formatJsonValue, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { readSmallJson } from '../files/read-small-file.js';
import { safeRelativePath } from '../files/safe-relative-path.js';
import { IdIndex } from '../files/spools/id-index.js';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import type { AnnotatedSet } from '../records/annotated-set.js';
import type { SourceContext } from '../records/ports.js';
import { schemaProblem } from '../records/schema-problem.js';
import { annotatedFiles } from '../sources/annotated-source.js';
import { coco } from '../sources/coco.js';
import { detections } from '../sources/detection-form.js';
import { hoiSetName } from '../sources/hoi-record.js';
import { ImageSizes, maxSide } from '../sources/image-sizes.js';
import { isOpenImagesCsv } from '../sources/open-images-csv.js';
import { openImagesCategories, openImagesImages } from '../sources/open-images-file.js';
import { duplicateEntry } from '../sources/pseudo-annotations.js';
import { relatedRecord } from '../sources/related-record.js';
import { readVcocoActions } from '../sources/vcoco-file.js';
import { readVg150Names, Vg150File, vg150FilesOf } from '../sources/vg150-file.js';
import { readGenomeEntry } from '../sources/visual-genome-entry.js';
import { genomeGraphs } from '../sources/visual-genome-graphs.js';
import { loadVocabulary } from '../vocabulary/vocabulary.js';
import type { FileKind } from './file-kind.js';

/** An entry of a file: null if it is in order, else the reason and a message. */
type Checked = { readonly reason: string; readonly message: string; readonly times?: number } | null;

/**
 * Reads an input file as a run would, and yields a problem for each reason for which something in it is rejected.
 * @throws InputError if the file cannot be read as its kind at all
 */
export async function* validateInput(file: string, kind: Exclude<FileKind, 'relflow'>): AsyncGenerator<string, void> {
  const problems = new Map<string, { count: number; first: string }>();
  let usable = 0;
  const folder = await TemporaryFolder.create(tmpdir());
  try {
    const context: SourceContext = {
      signal: new AbortController().signal,
      tempDir: folder.path,
      progress: () => {},
    };
    for await (const checked of checkers[kind](file, context)) {
      if (checked === null) usable++;
      else {
        const { reason, message, times = 1 } = checked;
        const before = problems.get(reason);
        problems.set(reason, { count: (before?.count ?? 0) + times, first: before?.first ?? message });
      }
    }
  } finally {
    await folder.remove();
  }
  for (const [reason, { count, first }] of problems) {
    yield count === 1 ? `${reason}: ${first}` : `${reason}: ${count} times, first ${first}`;
  }
  if (usable === 0) yield 'nothing in the file can be used';
}

const checkers: Record<
  Exclude<FileKind, 'relflow'>,
  (file: string, context: SourceContext) => AsyncGenerator<Checked, void>
> = {
  async *coco(file, context) {
    for await (const { record, rejects = [] } of coco({ annotations: file }).read(context)) {
      yield* rejects;
      if (record) yield null;
    }
  },
  async *boxes(file, context) {
    for await (const { record, rejects = [] } of (await detections({ annotations: file })).read(context)) {
      yield* rejects;
      if (record) yield null;
    }
  },
  captions: checkCaptions,
  async *genome(sceneGraphs, context) {
    for await (const entry of genomeGraphs({ sceneGraphs }, context)) {
      if ('reject' in entry) yield entry.reject;
      else {
        yield* entry.graph.rejects;
        if (!entry.graph.rejected) yield null;
      }
    }
  },
  async *sizes(file, context) {
    const { count, counts } = await ImageSizes.read(file, context);
    for (const [reason, times] of Object.entries(counts)) {
      yield { reason, times, message: 'an entry without a usable id, width and height, or for an image seen before' };
    }
    for (let k = 0; k < count; k++) yield null;
  },
  async *predictions(file) {
    let predicates = 0;
    for await (const { value, line } of jsonLines(file, { maxLineBytes: maxPredictionBytes })) {
      const problem = schemaProblem('predictions', value);
      const { predicates: names, pairs, objects } = fieldsOf(value);
      if (line === 1) predicates = elementsOf(names).length;
      const wrong = elementsOf(pairs).findIndex((pair) => {
        const { subject, object, scores } = fieldsOf(pair);
        const isMissing = (index: unknown) => (index as number) >= elementsOf(objects).length;
        return elementsOf(scores).length !== predicates || isMissing(subject) || (object !== null && isMissing(object));
      });
      if (problem !== null) yield { reason: 'malformed-line', message: `line ${line}: ${problem}` };
      else if (wrong >= 0)
        yield {
          reason: 'malformed-pair',
          message: `line ${line}: pair ${wrong} has not ${predicates} scores, or refers to an object that does not exist`,
        };
      else if (line > 1) yield null;
    }
  },
  async *hoi(file, context) {
    yield* checkAnnotated({ [await hoiSetName(file)]: { annotations: file } }, context);
  },
  async *vcoco(file) {
    for (const { labels } of await readVcocoActions(file)) for (const _ of labels) yield null;
  },
  async *openImages(file, context) {
    if (await isOpenImagesCsv(file)) yield* checkAnnotated({ openImages: { annotations: file } }, context);
    else for await (const _ of openImagesImages(file)) yield null;
  },
  async *categories(file) {
    const { objects, predicates } = await openImagesCategories(file);
    for (const _ of [...objects, ...predicates]) yield null;
  },
  async *vg150(file) {
    const files = vg150FilesOf(file);
    for (const path of [files.dicts, files.imageData]) await inputFile(path);
    const opened = await Vg150File.open(files);
    for (const split of [0, 2] as const) for (const _ of opened.images(split)) yield null;
  },
  async *dicts(file) {
    const { objects, predicates } = await readVg150Names(file);
    for (const _ of [...objects, ...predicates]) yield null;
  },
  psg: (file, context) => checkAnnotated({ psg: { annotations: file } }, context),
  gqa: (file, context) => checkAnnotated({ gqa: { annotations: file } }, context),
  async *pseudo(file) {
    const seen = new Set<string>();
    for await (const [position, value] of elements(file)) {
      const { image_id: written } = fieldsOf(value);
      const image = readId(written);
      const problem = duplicateEntry(value, seen);
      if (image === undefined)
        yield { reason: 'malformed-image', message: `entry ${position}: image_id is ${idProblem(written)}` };
      else if (problem) yield problem;
      else {
        const { rejects, rejected } = readGenomeEntry(image, value);
        yield* rejects;
        if (!rejected) yield null;
      }
    }
  },
  candidates: (file) =>
    checkMap(file, 'malformed-candidates', 'a list of [[[subject, object], …], ["text", …]]', (value) =>
      elementsOf(value).length === 0 && !Array.isArray(value)
        ? false
        : elementsOf(value).every((group) => {
            const [pairs, texts, ...more] = elementsOf(group);
            return more.length === 0 && isListOf(pairs, isPair) && isListOf(texts, isText);
          }),
    ),
  graphs: (file) =>
    checkMap(file, 'malformed-graph', "a list of graphs with 'entities' and 'relations'", (value) =>
      isListOf(value, (graph) => {
        const { entities, relations } = fieldsOf(graph);
        return Array.isArray(entities) && Array.isArray(relations);
      }),
    ),
  paths: (file) =>
    checkMap(
      file,
      'unsafe-path',
      'a path within the image folder',
      (value) => typeof value === 'string' && safeRelativePath(value) !== null,
    ),
  async *frequencies(file) {
    const fields = fieldsOf(await readSmallJson(file));
    for (const part of ['relationship', 'object']) {
      const [names, counts] = [fields[`${part}_names`], fieldsOf(fields[`${part}_freq`])];
      if (!isListOf(names, isText)) yield malformed(`${part}_names`, names, 'a list of texts');
      for (const name of elementsOf(names)) {
        const count = counts[String(name)];
        if (Number.isSafeInteger(count) && (count as number) >= 0) yield null;
        else yield malformed(`${part}_freq of ${formatJsonValue(name)}`, count, 'a count');
      }
    }
  },
  async *vocabulary(file) {
    for (const _ of loadVocabulary(file).synonyms) yield null;
  },
  async *training(file) {
    const problem = schemaProblem('training', await readSmallJson(file));
    yield problem === null ? null : { reason: 'training', message: problem };
  },
};

/** A line of predictions has all scores of an image. */
const maxPredictionBytes = 256 * 2 ** 20;

/** The counts of a record that are problems of the file. */
const problemCounts = ['undefined-category', 'undefined-predicate', 'unknown-object', 'malformed-row', 'zero-area'];

/** Checks the images of a data set with annotated relations, except what depends on their files. */
async function* checkAnnotated(set: AnnotatedSet, context: SourceContext): AsyncGenerator<Checked, void> {
  const { annotations, read } = annotatedFiles(set);
  const seen = new IdIndex();
  for await (const image of read(annotations, context)) {
    const { id, fileName, size, refused } = image;
    const at = `image ${id}`;
    if (seen.add(id) === undefined) yield { reason: 'duplicate-image', message: `${at} occurs more than once` };
    else if (refused) yield { reason: refused.reason, message: `${at}: ${refused.problem}` };
    else if (imagePath(fileName) === null)
      yield { reason: 'unsafe-path', message: `${at}: ${formatJsonValue(fileName)} is not the path of an image` };
    else {
      const { width, height } = size ?? { width: maxSide, height: maxSide };
      const record = { id, file: fileName, width, height, dataset: '', split: '' };
      const { rejects = [], counts = {} } = relatedRecord(image, record, { source: '', file: '' });
      yield* rejects;
      for (const reason of problemCounts)
        if (counts[reason] !== undefined) yield { reason, times: counts[reason], message: at };
      yield null;
    }
  }
}

async function* checkCaptions(file: string): AsyncGenerator<Checked, void> {
  let position = 0;
  for await (const batch of readCaptionElements(file)) {
    for (const { element, entry, isMalformed } of batch) {
      // An element of COCO's `images` only gives the name of a file.
      if (entry && entry.texts === undefined) continue;
      const at = `entry ${position++}: ${formatJsonValue(element)}`;
      const texts = entry?.texts;
      if (!entry || (entry.id !== undefined && readId(entry.id) === undefined && entry.file === undefined))
        yield { reason: 'no-image-or-caption', message: at };
      else if (isMalformed || !Array.isArray(texts)) yield { reason: 'malformed-captions', message: at };
      else if (!texts.every(isText)) yield { reason: 'malformed-caption', message: at };
      else yield null;
    }
  }
}

async function* elements(file: string): AsyncGenerator<[position: number, value: unknown], void> {
  for await (const { first, values } of streamJson(file, { layout: 'list' })) {
    for (const [index, value] of values.entries()) yield [first + index, value];
  }
}

async function* checkMap(
  file: string,
  reason: string,
  expected: string,
  isValid: (value: unknown) => boolean,
): AsyncGenerator<Checked, void> {
  for await (const { keys, values } of streamJson(file, { layout: 'map' })) {
    for (const [index, value] of values.entries()) {
      if (isValid(value)) yield null;
      else yield { reason, message: `image ${keys[index]}: ${formatJsonValue(value)}, expected ${expected}` };
    }
  }
}

const malformed = (what: string, found: unknown, expected: string): Checked => ({
  reason: 'malformed-frequencies',
  message: `${what} is ${formatJsonValue(found)}, expected ${expected}`,
});

const isText = (value: unknown) => typeof value === 'string';
const isPair = (pair: unknown) => elementsOf(pair).length === 2 && elementsOf(pair).every(Number.isSafeInteger);
const isListOf = (value: unknown, test: (one: unknown) => boolean) => Array.isArray(value) && value.every(test);
