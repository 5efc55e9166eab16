import { OptionError } from '../errors.js';
import { type AnnotatedSet, type AnnotatedSetName, annotatedSetNames } from '../records/annotated-set.js';
import type { ImageRecord } from '../records/image.js';
import type { Source } from '../records/ports.js';
import type { Related } from '../records/scene-graph.js';
import { gqaFiles } from './gqa.js';
import { hicoFiles } from './hico.js';
import { openImagesFiles } from './open-images.js';
import { psgFiles } from './psg.js';
import { type RelatedSourceFiles, type RelatedSourceOptions, relatedSource } from './related-source.js';
import { vcocoFiles } from './vcoco.js';
import { vg150Files } from './vg150.js';

const forms: { readonly [N in AnnotatedSetName]: (options: NonNullable<AnnotatedSet[N]>) => RelatedSourceFiles } = {
  hico: hicoFiles,
  vcoco: vcocoFiles,
  openImages: openImagesFiles,
  vg150: vg150Files,
  psg: psgFiles,
  gqa: gqaFiles,
};

/** Returns the name of a data set; undefined if it is in none of these forms. */
export const annotatedSetName = (set: AnnotatedSet): AnnotatedSetName | undefined =>
  annotatedSetNames.find((name) => set[name] !== undefined);

/**
 * Returns what is read of a data set in its official files.
 * @throws OptionError if it names none, or an option is out of range
 */
export function annotatedFiles(set: AnnotatedSet): RelatedSourceFiles {
  const name = annotatedSetName(set);
  if (name === undefined) throw new OptionError('data set', `expected one of ${annotatedSetNames.join(', ')}`);
  return (forms[name] as (options: unknown) => RelatedSourceFiles)(set[name]);
}

/**
 * Makes a source of a data set in its official files.
 * @throws as `annotatedFiles`
 */
export const annotatedSource = (set: AnnotatedSet, options: RelatedSourceOptions): Source<ImageRecord & Related> =>
  relatedSource(annotatedFiles(set), options);
