import { hicoInteractions, hicoVerbs } from '../../src/vocabulary/hico.js';
import { vcocoVerbs } from '../../src/vocabulary/vcoco.js';
import { cocoCategories } from './coco-categories.js';
import type { Pixels, Scene, SceneObject } from './scene.js';
import type { Vg150Contents } from './vg150-files.js';

/** The scenes that are for testing are the last third. */
const isTestScene = (index: number, scenes: readonly Scene[]): boolean => index >= Math.floor((2 * scenes.length) / 3);

const categoryIds = new Map(cocoCategories.map(({ id, name }) => [name, id]));
const idOf = ({ sprite: { category } }: SceneObject): number => categoryIds.get(category)!;
const corners = ([x, y, w, h]: Pixels) => [x, y, x + w, y + h].map((side) => Math.round(side * 100) / 100);

/** Verbs of HICO-DET for predicates of scenes. */
const HICO_VERBS: Readonly<Record<string, string>> = {
  riding: 'ride',
  'sitting on': 'sit on',
  'standing on': 'stand on',
  holding: 'hold',
  carrying: 'carry',
  wearing: 'wear',
  walking: 'walk',
  flying: 'fly',
};

/** Verbs of V-COCO for predicates of scenes: an action with a role or without. */
const VCOCO_VERBS: Readonly<Record<string, string>> = {
  riding: 'ride on',
  'sitting on': 'sit on/at',
  'standing on': 'stand',
  holding: 'hold',
  carrying: 'carry',
  walking: 'walk',
};

/**
 * Converts scenes to the forms of benchmarks: HICO-DET and V-COCO in PPDM's form, V-COCO's own, and Open Images in RLIPv2's; each
 * in a part for training and one for testing. Interactions are those of persons that the benchmark has a verb for.
 */
export function benchmarkFiles(scenes: readonly Scene[]): Record<string, object> {
  const files: Record<string, object> = {};
  for (const isTest of [false, true]) {
    const part = scenes.filter((_, index) => isTestScene(index, scenes) === isTest);
    files[`hico/${isTest ? 'test' : 'trainval'}_hico.json`] = part.map(hicoImage);
    files[`vcoco/${isTest ? 'test' : 'trainval'}_vcoco.json`] = part.map(vcocoImage);
    files[`vcoco/vcoco_${isTest ? 'test' : 'trainval'}.json`] = vcocoActions(part);
    files[`open-images/OI_SGG_${isTest ? 'test' : 'train_finetuning'}.json`] = part.map((scene) =>
      openImagesImage(scene, namesOf(scenes)),
    );
  }
  const { objects, predicates } = namesOf(scenes);
  files['vcoco/instances_vcoco_all_2014.json'] = vcocoInstances(scenes);
  files['open-images/categories_dict.json'] = { obj: objects, rel: predicates };
  return files;
}

/** Returns the contents of VG150's files. Boxes are in whole numbers where the longer side of the image is 1024. */
export function vg150Contents(scenes: readonly Scene[]): Vg150Contents {
  const { objects, predicates } = namesOf(scenes);
  return {
    objects,
    predicates,
    images: scenes.map((scene, index) => {
      const scale = 1024 / Math.max(scene.width, scene.height);
      return {
        id: scene.id,
        width: scene.width,
        height: scene.height,
        split: isTestScene(index, scenes) ? 2 : 0,
        objects: scene.objects.map(({ sprite: { category }, box: [x, y, w, h] }) => ({
          label: objects.indexOf(category) + 1,
          box: [(x + w / 2) * scale, (y + h / 2) * scale, w * scale, h * scale].map((side) =>
            Math.max(1, Math.round(side)),
          ) as unknown as readonly [number, number, number, number],
        })),
        relations: scene.relations.map(
          ({ subject, object, predicate }) => [subject, object, predicates.indexOf(predicate) + 1] as const,
        ),
      };
    }),
  };
}

function namesOf(scenes: readonly Scene[]) {
  const sorted = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    objects: sorted(scenes.flatMap(({ objects }) => objects.map(({ sprite }) => sprite.category))),
    predicates: sorted(scenes.flatMap(({ relations }) => relations.map(({ predicate }) => predicate))),
  };
}

const annotationsOf = ({ objects }: Scene) =>
  objects.map((object) => ({ bbox: corners(object.box), category_id: idOf(object) }));

function hicoImage(scene: Scene) {
  const interactions = scene.relations.flatMap(({ subject, object, predicate }) => {
    const verb = hicoVerbs.indexOf(HICO_VERBS[predicate] ?? '') + 1;
    const target = idOf(scene.objects[object]!);
    const found = hicoInteractions.find((one) => one.verb === verb && one.object === target);
    return found && scene.objects[subject]!.sprite.category === 'person'
      ? { subject_id: subject, object_id: object, category_id: verb, hoi_category_id: found.index + 1 }
      : [];
  });
  return { file_name: `${scene.id}.jpg`, annotations: annotationsOf(scene), hoi_annotation: interactions };
}

/** The interactions of persons in a scene: the number of V-COCO's verb, and the object unless the action has no role. */
const vcocoRelations = (scene: Scene) =>
  scene.relations.flatMap(({ subject, object, predicate }) => {
    const verb = vcocoVerbs.findIndex(({ name }) => name === VCOCO_VERBS[predicate]);
    return verb >= 0 && scene.objects[subject]!.sprite.category === 'person'
      ? { subject, object: vcocoVerbs[verb]!.role === null ? null : object, verb }
      : [];
  });

const vcocoImage = (scene: Scene) => ({
  file_name: `${scene.id}.jpg`,
  annotations: annotationsOf(scene),
  hoi_annotation: vcocoRelations(scene).map(({ subject, object, verb }) => ({
    subject_id: subject,
    object_id: object ?? -1,
    category_id: verb,
  })),
});

/** Every person of the scenes has one entry for each of the 26 actions, done or not. */
function vcocoActions(scenes: readonly Scene[]) {
  const actions = [...new Set(vcocoVerbs.map(({ action }) => action))];
  return actions.map((action) => {
    const verbs = vcocoVerbs.flatMap((verb, index) => (verb.action === action ? { ...verb, index } : []));
    const roles = verbs.flatMap(({ role }) => role ?? []);
    const entries = scenes.flatMap((scene) => {
      const relations = vcocoRelations(scene);
      return scene.objects.flatMap(({ id, sprite }, person) => {
        if (sprite.category !== 'person') return [];
        const done = verbs.map(({ index }) =>
          relations.find(({ subject, verb }) => subject === person && verb === index),
        );
        const objects = done.map((found) => (found?.object == null ? 0 : scene.objects[found.object]!.id));
        return { image: scene.id, person: id, label: done.some((found) => found) ? 1 : 0, objects };
      });
    });
    return {
      action_name: action,
      role_name: ['agent', ...roles],
      include: [[], ...roles.map(() => [])],
      image_id: entries.map(({ image }) => image),
      ann_id: entries.map(({ person }) => person),
      label: entries.map(({ label }) => label),
      role_object_id: [
        ...entries.map(({ person }) => person),
        ...roles.flatMap((_, k) => entries.map(({ objects }) => objects[k]!)),
      ],
    };
  });
}

const vcocoInstances = (scenes: readonly Scene[]) => ({
  images: scenes.map(({ id, width, height }) => ({ id, file_name: `${id}.jpg`, width, height })),
  annotations: scenes.flatMap((scene) =>
    scene.objects.map((object) => ({
      id: object.id,
      image_id: scene.id,
      category_id: idOf(object),
      bbox: object.box,
      area: Math.round(object.box[2] * object.box[3] * 100) / 100,
      iscrowd: 0,
    })),
  ),
  categories: cocoCategories.map(({ id, name }) => ({ id, name })),
});

const openImagesImage = (
  scene: Scene,
  { objects, predicates }: { readonly objects: readonly string[]; readonly predicates: readonly string[] },
) => ({
  file_name: `${scene.id}.jpg`,
  annotations: scene.objects.map(({ sprite: { category }, box }) => ({
    bbox: corners(box),
    category_id: objects.indexOf(category),
  })),
  rel_annotations: scene.relations.map(({ subject, object, predicate }) => ({
    subject_id: subject,
    object_id: object,
    category_id: predicates.indexOf(predicate),
  })),
});
