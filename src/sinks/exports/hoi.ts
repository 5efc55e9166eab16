import { nounLemma, verbLemma } from '../../parser/language/lemma.js';
import type { Corners } from '../../records/corners.js';
import type { SceneGraph } from '../../records/scene-graph.js';
import { coco80Categories } from '../../vocabulary/categories.js';
import { hicoInteractions, hicoVerbs } from '../../vocabulary/hico.js';
import { vcocoVerbs } from '../../vocabulary/vcoco.js';
import type { ExportFormat, ExportInput } from './export-format.js';
import type { ExportOutput } from './export-output.js';
import { JsonList } from './json-list.js';
import { roundedCorners } from './rounded-corners.js';

const categoryIds = new Map(coco80Categories.map(({ id, name }) => [name, id]));

/** Numbers of HICO-DET's combinations by verb and object, from 1. */
const combinations = new Map(hicoInteractions.map(({ index, verb, object }) => [`${verb} ${object}`, index + 1]));

/**
 * HICO-DET in PPDM's form: persons and their verbs, 1 to 117. A combination that is none of the 600 has no `hoi_category_id`
 * in HICO-DET, so that it is dropped.
 *
 * Source: PPDM; RLIPv2, datasets/hico.py.
 */
export const hico: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'hico.json',
  summary: "HICO-DET's JSON (PPDM's form): persons, COCO's categories, 117 verbs",
  write: (input, output) =>
    writeHoi(input, output, verbNumbers(hicoVerbs, 1), ({ verb, object }, note) => {
      if (object === null) {
        note('relation-without-object', hicoVerbs[verb - 1] ?? '');
        return null;
      }
      const combination = combinations.get(`${verb} ${object}`);
      if (combination === undefined) {
        note('combination-not-in-hico', `${hicoVerbs[verb - 1]} ${nameOf(object)}`);
        return null;
      }
      return { hoi_category_id: combination };
    }),
};

/**
 * V-COCO in PPDM's form: persons and their verbs, 0 to 28; a relation without an object has the object −1.
 *
 * Source: RLIPv2, convert_annotations/convert_vcoco_annotations.py.
 */
export const vcoco: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'file',
  file: 'vcoco.json',
  summary: "V-COCO's JSON (PPDM's form): persons, COCO's categories, 29 verbs",
  write: (input, output) =>
    writeHoi(input, output, vcocoNumbers, ({ verb, object }, note) => {
      const hasObject = vcocoVerbs[verb]?.role !== null;
      if (object !== null && !hasObject) {
        note('verb-without-object', vcocoVerbs[verb]?.name ?? '');
        return null;
      }
      return {};
    }),
};

const nameOf = (category: number) => coco80Categories.find(({ id }) => id === category)?.name;

/** Numbers of verbs by name; of two with one name, the first. */
function verbNumbers(names: readonly string[], first: number): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [name, index + first] as const).reverse());
}

/** V-COCO's verbs by name and, where an action has a single role, by the action: `ride` for `ride on`. */
const vcocoNumbers: ReadonlyMap<string, number> = new Map([
  ...vcocoVerbs.flatMap(({ action }, index) =>
    vcocoVerbs.filter((other) => other.action === action).length === 1
      ? [[action.replaceAll('_', ' '), index] as const]
      : [],
  ),
  ...verbNumbers(
    vcocoVerbs.map(({ name }) => name),
    0,
  ),
]);

async function writeHoi(
  input: ExportInput,
  output: ExportOutput,
  verbs: ReadonlyMap<string, number>,
  more: (
    relation: { verb: number; object: number | null },
    note: ExportInput['note'],
  ) => Readonly<Record<string, number>> | null,
): Promise<void> {
  for (const { file, split } of input.parts) {
    const list = await JsonList.create(output, file);
    for await (const graph of input.sceneGraphs(split)) await list.add(hoiImage(graph, verbs, more, input.note));
    await list.close();
  }
}

function hoiImage(
  { image, objects, relations }: SceneGraph,
  verbs: ReadonlyMap<string, number>,
  more: Parameters<typeof writeHoi>[3],
  note: ExportInput['note'],
) {
  const places: (number | null)[] = [];
  const annotations: { bbox: Corners; category_id: number }[] = [];
  for (const { category, box } of objects) {
    const id = categoryIds.get(category);
    if (id === undefined) note('category-not-in-coco', category);
    places.push(id === undefined ? null : annotations.push({ bbox: roundedCorners(box), category_id: id }) - 1);
  }
  const interactions = relations.flatMap(({ subject, object, predicate }) => {
    const [from, to] = [places[subject] ?? null, object === null ? null : (places[object] ?? null)];
    // Counted above.
    if (from === null || (object !== null && to === null)) return [];
    if (objects[subject]?.category !== 'person') {
      note('subject-not-person', `${objects[subject]?.category} ${predicate}`);
      return [];
    }
    const verb = verbOf(predicate, verbs, note);
    if (verb === null) return [];
    const fields = more({ verb, object: to === null ? null : (annotations[to]?.category_id ?? null) }, note);
    return fields === null ? [] : [{ subject_id: from, object_id: to ?? -1, category_id: verb, ...fields }];
  });
  return { file_name: image.file, annotations, hoi_annotation: interactions };
}

/** Returns the number of the verb that a predicate is, as written or in its base form: `riding` is `ride`. */
function verbOf(predicate: string, verbs: ReadonlyMap<string, number>, note: ExportInput['note']): number | null {
  const exact = verbs.get(predicate);
  if (exact !== undefined) return exact;
  const [first = '', ...rest] = predicate.split(' ');
  const base = [verbLemma(first), ...rest.map(nounLemma)].join(' ');
  const number = verbs.get(base);
  if (number !== undefined) {
    note('predicate-in-base-form', `'${predicate}' as '${base}'`);
    return number;
  }
  note('predicate-not-in-list', predicate);
  return null;
}
