import { relative, sep } from 'node:path';
import { folderOfInputs, inputFilesIn } from '../files/input-files.js';
import { childOf, childText, type XmlElement, xmlElements } from '../files/xml/xml-elements.js';
import type { Box } from '../records/box.js';
import { boxOfCorners } from '../records/corners.js';
import type { Id, ImageRecord } from '../records/image.js';
import type { Source, SourceContext } from '../records/ports.js';
import { type DetectionSourceOptions, detectionSource } from './detection-source.js';
import { isSide } from './image-sizes.js';
import { idsOfPaths, namedImages } from './named-images.js';
import type { AnnotatedImage } from './related-record.js';

/** Options of `pascalVoc`. */
export interface PascalVocOptions extends DetectionSourceOptions {
  /** Folder of the XML files, searched with its subfolders, or a path or glob. */
  readonly annotations: string;
}

/**
 * Reads detections in Pascal VOC's format, an XML file for each image, as Roboflow, CVAT, labelImg and many others write it. The id
 * of an image is the name of its file without `.xml`, or its path if two of the set have the name. Corners are read as written, except those of the VOC sets
 * themselves, which number pixels from 1. Objects without an upright box are dropped and counted: `rotated-box`,
 * `shape-without-box`. Files are read twice, first for the names of all categories.
 *
 * Rejects: `unsafe-path`, `image-missing`, and those of `filterDetections`.
 *
 * @throws OptionError if an option is missing or out of range
 * Source: the PASCAL Visual Object Classes development kit, http://host.robots.ox.ac.uk/pascal/VOC/
 *
 * @example
 * ```ts
 * import { caption, captionFile, Graph, pascalVoc } from 'relflow';
 *
 * const graph = new Graph('voc');
 * graph
 *   .from(pascalVoc({ annotations: 'Annotations', images: 'JPEGImages' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })));
 * ```
 */
export function pascalVoc(options: PascalVocOptions): Source<ImageRecord> {
  const { annotations } = options;
  const files = () => inputFilesIn(annotations, '.xml');
  return detectionSource(
    {
      name: 'pascal-voc',
      annotations,
      dataset: 'voc',
      paths: namedImages,
      oneImageEach: true,
      files,
      async *read({ signal, progress }: SourceContext) {
        const paths = await files();
        const folder = folderOfInputs(annotations);
        const labels = new Set<string>();
        for (const [index, path] of paths.entries()) {
          for await (const element of xmlElements(path, { root: 'annotation', signal }))
            for (const object of objectsOf(element)) labels.add(childText(object, 'name') ?? '');
          progress({ phase: 'reading', done: index + 1, total: paths.length });
        }
        labels.delete('');
        const categories = [...labels].sort();
        const names = paths.map((path) =>
          relative(folder, path)
            .replaceAll(sep, '/')
            .replace(/\.xml$/i, ''),
        );
        const ids = idsOfPaths(names);
        for (const [index, path] of paths.entries()) {
          for await (const element of xmlElements(path, { root: 'annotation', signal }))
            yield [path, vocImage(element, ids[index]!, names[index]!, categories)] as const;
        }
      },
    },
    options,
  );
}

const objectsOf = ({ children }: XmlElement) => children.filter(({ name }) => name === 'object');

/** The sets of the challenge, whose corners are pixels from 1, both of which belong to the box. */
const challenge = /^The VOC20\d\d Database$/;

function vocImage(element: XmlElement, id: Id, name: string, categories: readonly string[]): AnnotatedImage {
  const size = childOf(element, 'size');
  const [width, height] = [Number(childText(size, 'width')), Number(childText(size, 'height'))];
  const first = challenge.test(childText(childOf(element, 'source'), 'database') ?? '') ? 1 : 0;
  const counts: Record<string, number> = {};
  const objects = objectsOf(element).flatMap((object) => {
    const corners = childOf(object, 'bndbox');
    if (corners) return [{ category: childText(object, 'name') ?? null, box: boxOf(corners, first) }];
    const reason = childOf(object, 'robndbox') ? 'rotated-box' : 'shape-without-box';
    counts[reason] = (counts[reason] ?? 0) + 1;
    return [];
  });
  return {
    id,
    fileName: childText(element, 'filename') ?? name,
    size: isSide(width) && isSide(height) ? { width, height } : null,
    split: '',
    objects,
    relations: [],
    categories,
    counts,
  };
}

/** The box of two corners; numbers that cannot be read are NaN, which `filterDetections` rejects. */
function boxOf(corners: XmlElement, first: number): Box {
  const [x1, y1, x2, y2] = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) => Number(childText(corners, name)));
  return boxOfCorners([x1! - first, y1! - first, x2!, y2!]);
}
