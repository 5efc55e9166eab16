import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { relflow, SCENES } from '../support/command.js';
import { temporaryFolder } from '../support/folders.js';

describe('relflow validate on files', () => {
  const validate = async (name: string, content: string | Buffer) => {
    const file = join(temporaryFolder(), name);
    writeFileSync(file, content);
    const { code, stdout } = await relflow(['validate', file]);
    return { code, text: stdout.replaceAll(`${file}: `, '') };
  };
  const coco = (annotation: object) =>
    JSON.stringify({
      images: [{ id: 1, file_name: 'a.jpg', width: 90, height: 80 }],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 2, 30, 40], ...annotation }],
      categories: [{ id: 1, name: 'dog' }],
    });
  const genome = { image_id: 1, objects: [{ object_id: 1, x: 1, y: 2, w: 3, h: 4, names: ['dog'] }] };

  const predictions = (pair: object = {}) =>
    [
      { predictions: 1, objects: ['person'], predicates: ['ride', 'hold'], fused: true },
      {
        image: { file: '1.jpg' },
        objects: [{ xyxy: [1, 2, 30, 40], category: 'person' }],
        pairs: [{ subject: 0, object: null, scores: [0.5, 0], ...pair }],
      },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
  const person = { bbox: [1, 2, 30, 40], category_id: 1 };
  const hoi = (verb: number, fields: object = {}) => ({
    file_name: '1.jpg',
    annotations: [person, person],
    hoi_annotation: [{ subject_id: 0, object_id: 1, category_id: verb, ...fields }],
  });
  const vcocoAction = {
    action_name: 'smile',
    role_name: ['agent'],
    image_id: [1],
    ann_id: [10],
    label: [1],
    role_object_id: [10],
  };
  const openImages = { file_name: '1.jpg', annotations: [person], rel_annotations: [] };
  const openImagesCsv =
    'ImageID,LabelName1,LabelName2,XMin1,XMax1,YMin1,YMax1,XMin2,XMax2,YMin2,YMax2,RelationshipLabel\n' +
    '1,/m/a,/m/b,0,0.5,0,0.5,0.25,1,0.25,1,at\n';
  const psg = {
    data: [
      { image_id: 1, file_name: '1.jpg', width: 90, height: 80, annotations: [person, person], relations: [[0, 1, 0]] },
    ],
    thing_classes: ['a', 'b'],
    predicate_classes: ['on'],
  };
  const gqa = {
    '1': { width: 90, height: 80, objects: { '2': { name: 'man', x: 1, y: 2, w: 3, h: 4, relations: [] } } },
  };

  it('names the kind of each file that relflow reads', async () => {
    const files: [string, RegExp][] = [
      ['instances.json', /detections in COCO's format/],
      ['objects365.json', /detections in COCO's format/],
      ['captions.json', /captions/],
      ['captions-blip.json', /captions/],
      ['visual-genome/objects.json', /objects or relationships of Visual Genome/],
      ['visual-genome/relationships.json', /objects or relationships of Visual Genome/],
      ['visual-genome/scene_graphs.json', /objects or relationships of Visual Genome/],
      ['visual-genome/image_data.json', /image_data\.json of Visual Genome/],
    ];
    for (const [name, kind] of files) {
      const { code, stdout } = await relflow(['validate', join(SCENES, name)]);
      assert.equal(code, 0, stdout);
      assert.match(stdout, new RegExp(`: valid: ${kind.source}`));
    }
    const contents: [string, string | Buffer, string][] = [
      ['a.csv', 'file,caption\na.jpg,a dog\n', 'captions'],
      ['a.jsonl', '{"image_id":1,"caption":"a dog"}\n{"image_id":2,"caption":"a cat"}\n', 'captions'],
      ['a.json', '[{"image_id":1,"caption":"a dog"}]', 'captions'],
      ['a.json', '{"images":[{"filename":"a.jpg","cocoid":1,"sentences":[{"raw":"a dog"}]}]}', 'captions'],
      ['a.json', '{"beach":["a dog runs along the wide beach"],"park":["two people sit on a bench"]}', 'captions'],
      ['a.json', Buffer.from('\ufeff{"a.jpg":"a dog"}', 'utf16le'), 'captions'],
      ['a.json', '{"dog":["puppy"],"cat":[]}', 'a vocabulary'],
      ['a.json', '{"1":[[[[0,1]],["on"]]],"2":[]}', "RLIPv2's candidates"],
      ['a.json', '{"1":"train/1.jpg"}', "RLIPv2's image paths"],
      ['a.json', '{"1":[{"entities":[],"relations":[]}]}', 'parsed graphs of captions'],
      [
        'a.json',
        '{"relationship_names":["on"],"object_names":["dog"],"relationship_freq":{"on":3},"object_freq":{"dog":2}}',
        "RLIPv2's frequencies",
      ],
      ['a.json', JSON.stringify([{ ...genome, dataset: 'coco2017', data_split: 'train' }]), "RLIPv2's annotations"],
      ['p.jsonl', predictions(), 'predictions of a model'],
      ['hico.json', JSON.stringify([hoi(77, { hoi_category_id: 19 })]), "HICO-DET or V-COCO in PPDM's form"],
      ['vcoco.json', JSON.stringify([hoi(0, { object_id: -1 })]), "HICO-DET or V-COCO in PPDM's form"],
      ['vcoco_test.json', JSON.stringify([vcocoAction]), "V-COCO's own annotations"],
      ['oi.json', JSON.stringify([openImages]), 'relations of Open Images'],
      ['oi.csv', openImagesCsv, 'relations of Open Images'],
      ['names.json', '{"obj":["Man"],"rel":["at"]}', "names of Open Images' categories and predicates"],
      ['dicts.json', '{"label_to_idx":{"man":1},"predicate_to_idx":{"on":1}}', 'names of VG150'],
      ['psg.json', JSON.stringify(psg), 'PSG'],
      ['gqa.json', JSON.stringify(gqa), 'scene graphs of GQA'],
    ];
    for (const [name, content, kind] of contents) {
      assert.deepEqual(await validate(name, content), { code: 0, text: `valid: ${kind}\n` });
    }
  });

  it('reports what is rejected by its reason, with a count', async () => {
    const problems: [string, string | Buffer, RegExp][] = [
      ['a.json', coco({ image_id: 7 }), /^unknown-image: /],
      ['a.json', coco({ bbox: 'wide' }), /^malformed-box: /],
      ['a.json', JSON.stringify([genome, genome, genome]), /^duplicate-image: 2 times, first image 1 occurs more/],
      ['a.json', '[{"image_id":1,"width":0,"height":5}]', /^malformed-size: [\s\S]*nothing in the file can be used/],
      ['a.jsonl', '{"image_id":1,"caption":"a"}\n{"image_id":2}\n', /^no-image-or-caption: entry 1: \{"image_id":2\}/],
      ['a.json', '{"annotations":[{"image_id":1,"caption":5},{"image_id":1,"caption":"a"}]}', /^malformed-caption/],
      ['a.json', '{"dog":["puppy"],"cat":["kitty",3]}', /^expected a list of strings as synonyms of 'cat'/],
      ['a.json', '{"1":"../1.jpg","2":"2.jpg"}', /^unsafe-path: image 1/],
      ['p.jsonl', predictions({ scores: [1] }), /^malformed-pair: line 2: pair 0 has not 2 scores/],
      ['p.jsonl', predictions({ subject: 1 }), /^malformed-pair: line 2/],
      ['p.jsonl', predictions({ scores: [2, 0] }), /^malformed-line: line 2: /],
      ['a.json', JSON.stringify([hoi(118, { hoi_category_id: 1 })]), /^undefined-predicate: image 1\.jpg/],
      ['a.json', JSON.stringify([hoi(77, { object_id: 2 })]), /^dangling-interaction: image 1\.jpg: 1 interaction/],
      ['a.json', JSON.stringify([hoi(77), hoi(77)]), /^duplicate-image: image 1\.jpg/],
      ['a.csv', openImagesCsv.replace('0.5,0,0.5', '0.5,?,0.5'), /^malformed-row: image 1/],
      ['a.json', JSON.stringify({ ...psg, predicate_classes: [] }), /^undefined-predicate: image 1/],
      ['a.h5', 'MATLAB 5.0 MAT-file, Platform', /MATLAB file: convert it; HICO-DET's anno_bbox\.mat/],
      ['a.h5', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), /dicts-with-attri\.json/],
      ['a.json', '{"1":[[[[0,"x"]],["on"]]]}', /^malformed-candidates: image 1/],
      ['a.json', '{"images":[],"annotations":[],"categories":[]}', /nothing in the file can be used/],
      ['a.json', '{"annotations":[]}', /nothing in the file can be used/],
      ['a.json', '{"images":[{"id":1', /truncated JSON/],
      ['a.json', '{"images":[],"annotations":null,"categories":[]}', /'annotations' is null, expected an array/],
      ['a.json', '{"images":[{"id":1}],"annotations":[],}', /expected a key in the top-level object/],
    ];
    for (const [name, content, problem] of problems) {
      const { code, text } = await validate(name, content);
      assert.match(text, problem);
      assert.equal(code, 1, String(content));
    }
  });

  it('refuses a file of an unknown kind with the list of known kinds', async () => {
    const problems: [string, string | Buffer, RegExp][] = [
      ['a.json', '{"a":1,"b":{"c":2}}', /^unknown format: relflow reads or writes none of this kind; it knows /],
      ['a.json', '{}', /^unknown format: /],
      ['a.json', '{"data":[{"id":1}],"classes":["a"],"predicates":["on"]}', /^unknown format: /],
      ['a.json', '[]', /^unknown format: /],
      ['a.json', '\n', /^the file is empty\. /],
      ['a.json', '<!DOCTYPE html><html></html>', /^the file is an HTML page: .*it knows an output of relflow/],
      ['a.json', 'version https://git-lfs.github.com/spec/v1\noid', /^the file is a git-lfs pointer/],
      ['a.png', Buffer.from('\x89PNG\r\n', 'latin1'), /^the file is a PNG image/],
      ['a.txt', '0 0.5 0.5 0.1 0.1\n', /no names of the classes; expected classes\.txt, obj\.names or data\.yaml/],
      ['a.json', '{"shapes":[],"imagePath":"1.jpg"}', /^the file is in the format of labelme/],
      ['a.json', '[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5}]', /^the file is a list of detections/],
      ['a.json', '{"format":"relflow.nothing/1"}', /its format is "relflow\.nothing\/1", expected one of relflow\./],
    ];
    for (const [name, content, problem] of problems) {
      const { code, text } = await validate(name, content);
      assert.match(text, problem);
      assert.equal(code, 1);
    }
  });
});
