import { InputError } from '../../../errors.js';
import { vcocoVerbs } from '../../../vocabulary/vcoco.js';

/** Names of V-COCO's 29 verbs in RLIPv2's order: the action, with its role if it has any: `hold_obj`, `stand`. */
export const VCOCO_VERBS: readonly string[] = vcocoVerbs.map(({ action, role }) =>
  role === null ? action : `${action}_${role}`,
);

const texts = new Map(vcocoVerbs.map(({ name }, k) => [plain(name), VCOCO_VERBS[k]!]));

/**
 * Returns the place of each verb among the predicates of a header, which may name them as `VCOCO_VERBS` or by RLIPv2's texts
 * (`sit on/at`), in any case, with blanks, hyphens or underscores.
 * @throws InputError if one is missing
 */
export function placesOfVerbs(
  file: string,
  verbs: readonly string[],
  predicates: readonly string[],
): readonly number[] {
  const written = predicates.map(plain);
  const places = new Map(written.map((name, k) => [VCOCO_VERBS.includes(name) ? name : (texts.get(name) ?? name), k]));
  return verbs.map((verb) => {
    const place = places.get(verb);
    if (place === undefined)
      throw new InputError(
        file,
        `line 1: the predicates of the header lack '${verb}', expected V-COCO's verbs, such as hold_obj or sit on/at`,
      );
    return place;
  });
}

function plain(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[ -]/g, '_');
}
