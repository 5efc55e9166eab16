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
    ];
    for (const [name, content, kind] of contents) {
      assert.deepEqual(await validate(name, content), { code: 0, text: `valid: ${kind}\n` });
    }
  });

  it('reports what is rejected by its reason, with a count', async () => {
    const problems: [string, string, RegExp][] = [
      ['a.json', coco({ image_id: 7 }), /^unknown-image: /],
      ['a.json', coco({ bbox: 'wide' }), /^malformed-box: /],
      ['a.json', JSON.stringify([genome, genome, genome]), /^duplicate-image: 2 times, first image 1 occurs more/],
      ['a.json', '[{"image_id":1,"width":0,"height":5}]', /^malformed-size: [\s\S]*nothing in the file can be used/],
      ['a.jsonl', '{"image_id":1,"caption":"a"}\n{"image_id":2}\n', /^no-image-or-caption: entry 1: \{"image_id":2\}/],
      ['a.json', '{"annotations":[{"image_id":1,"caption":5},{"image_id":1,"caption":"a"}]}', /^malformed-caption/],
      ['a.json', '{"dog":["puppy"],"cat":["kitty",3]}', /^expected a list of strings as synonyms of 'cat'/],
      ['a.json', '{"1":"../1.jpg","2":"2.jpg"}', /^unsafe-path: image 1/],
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
      assert.equal(code, 1, content);
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
      ['a.txt', '0 0.5 0.5 0.1 0.1\n', /^the file is in the format of YOLO/],
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
