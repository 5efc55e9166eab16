import type { ExportFormat } from './export-format.js';
import { ExportedImages } from './exported-images.js';

/** Reads the exported lines into a FiftyOne dataset. */
const LOADER = `"""Loads this folder into FiftyOne.

    python load.py                   opens the app
    from load import load; dataset = load()
"""
import json
import os

import fiftyone as fo

FOLDER = os.path.dirname(os.path.abspath(__file__))


def load(name=None, images=None):
    """Returns a dataset. \`images\` is the folder of the images, if they are not in this one."""
    dataset = fo.Dataset(name)
    samples = []
    with open(os.path.join(FOLDER, "samples.jsonl"), encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            path = os.path.join(images or FOLDER, row["file"])
            detections = [
                fo.Detection(label=d["label"], bounding_box=d["bounding_box"], confidence=d["confidence"], relations=d["relations"])
                for d in row["objects"]
            ]
            relations = fo.Classifications(
                classifications=[
                    fo.Classification(label=r["predicate"], confidence=r["confidence"], subject=r["subject"], object=r["object"], triplet=r["triplet"])
                    for r in row["relations"]
                ]
            )
            samples.append(
                fo.Sample(
                    filepath=path,
                    tags=row["tags"],
                    image_id=str(row["image_id"]),
                    captions=row["captions"],
                    objects=fo.Detections(detections=detections),
                    relations=relations,
                )
            )
            if len(samples) == 1000:
                dataset.add_samples(samples)
                samples = []
    if samples:
        dataset.add_samples(samples)
    return dataset


if __name__ == "__main__":
    fo.launch_app(load()).wait()
`;

/**
 * Samples for FiftyOne and the script that loads them: detections, each with the relations of which it is the subject, and the
 * relations of an image as classifications, which the app can filter.
 */
export const fiftyone: ExportFormat = {
  sink: 'scene-graphs',
  kind: 'folder',
  file: 'fiftyone',
  summary: 'FiftyOne: samples with detections and relations, and the script load.py',
  takes: ['images', 'imageFiles'],
  write: async (input, output) => {
    const images = new ExportedImages(input, output, 'link');
    const file = await output.create('samples.jsonl');
    for await (const { graph, split } of input.graphs()) {
      const { image, objects, captions } = graph;
      const names = objects.map(({ category }, index) => `${category} ${index}`);
      const relations = graph.relations.map(({ subject, object, predicate, confidence }) => ({
        predicate,
        subject,
        object,
        triplet: [objects[subject]?.category, predicate, objects[object ?? -1]?.category].filter(Boolean).join(' '),
        confidence: confidence ?? null,
      }));
      const row = {
        file: (await images.place(image, 'images')) ?? image.file,
        image_id: image.id,
        tags: [split ?? image.split].filter((tag) => tag !== ''),
        captions: captions.map(({ text }) => text),
        objects: objects.map(({ category, box: [x, y, w, h], score }, index) => ({
          label: category,
          bounding_box: [x / image.width, y / image.height, w / image.width, h / image.height],
          confidence: score ?? null,
          relations: relations
            .filter(({ subject }) => subject === index)
            .map(({ predicate, object }) => [predicate, names[object ?? -1]].filter(Boolean).join(' ')),
        })),
        relations,
      };
      await file.write(`${JSON.stringify(row)}\n`);
    }
    await file.close();
    await output.write('load.py', [LOADER]);
  },
};
