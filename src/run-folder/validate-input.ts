import { tmpdir } from 'node:os';
import { readCaptionElements } from '../captioners/caption-forms.js';
import { safeRelativePath } from '../files/image-folder.js';
import { elementsOf, fieldsOf, formatJsonValue, idProblem, readId } from '../files/json/json-value.js';
import { streamJson } from '../files/json/stream-json.js';
import { readSmallJson } from '../files/read-small-file.js';
import { TemporaryFolder } from '../files/spools/temporary-folder.js';
import type { SourceContext } from '../records/ports.js';
import { schemaProblem } from '../records/schema-problem.js';
import { coco } from '../sources/coco.js';
import { ImageSizes } from '../sources/image-sizes.js';
import { duplicateEntry } from '../sources/pseudo-annotations.js';
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
