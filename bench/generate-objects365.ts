// Generates annotations of any size in the format of Objects365 v2, and captions for them:
//
//   npx tsx bench/generate-objects365.ts --images 700000 --boxes-per-image 15 --seed 1 --out o365.json --captions captions.json
//
// The same arguments give the same bytes. Annotations are not ordered by image, as loaders must expect.
import { closeSync, openSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Random } from '../scripts/scenes/scene-random.js';
import { objects365Categories } from '../src/vocabulary/categories.js';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '1000' },
    'boxes-per-image': { type: 'string', default: '15' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    captions: { type: 'string' },
  },
});
const images = wholeNumber('images');
const boxesPerImage = wholeNumber('boxes-per-image');
const seed = wholeNumber('seed');
if (values.out === undefined) fail('--out is missing, expected a path');

const RELATIONS = [
  'on',
  'next to',
  'behind',
  'in front of',
  'holding',
  'riding',
  'under',
  'looking at',
  'wearing',
  'near',
];

interface Shape {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly boxes: number;
}

/** The number of boxes per image varies from 1 to twice the average minus 1. */
function shapeOf(image: number): Shape {
  const random = new Random(seed, 'image', image);
  return {
    id: image * 3 + random.integer(1, 3),
    width: random.integer(400, 1024),
    height: random.integer(300, 1024),
    boxes: random.integer(1, 2 * boxesPerImage - 1),
  };
}

/** Picks a category; few of them are frequent, as in the real dataset. */
function categoryOf(random: Random): number {
  return 1 + Math.floor(objects365Categories.length * random.next() ** 3);
}

function imageJson(image: number): string {
  const { id, width, height } = shapeOf(image);
  const name = `objects365_v2_${String(id).padStart(8, '0')}.jpg`;
  const file = `images/v2/patch${image % 51}/${name}`;
  return `{"height": ${height}, "id": ${id}, "license": ${1 + (image % 8)}, "width": ${width}, "file_name": "${file}", "url": ""}`;
}

function annotationJson(image: Shape, position: number, random: Random): string {
  const category = categoryOf(random);
  const w = random.between(1, image.width / 2);
  const h = random.between(1, image.height / 2);
  const box = [random.between(0, image.width - w), random.between(0, image.height - h), w, h];
  const flags = `"iscrowd": ${random.chance(0.01) ? 1 : 0}, "isfake": 0, "area": ${w * h}, "isreflected": 0`;
  const bbox = box.map((side) => side.toFixed(10)).join(', ');
  return `{"id": ${position + 1}, ${flags}, "bbox": [${bbox}], "image_id": ${image.id}, "category_id": ${category}}`;
}

/** Yields every box of every image once, in an order that jumps between images. */
function* shuffledBoxes(): Generator<string> {
  const places = 2 * boxesPerImage - 1;
  const total = images * places;
  let step = Math.max(1, Math.floor(total * 0.618034));
  while (greatestCommonDivisor(step, total) !== 1) step++;
  for (let i = 0, at = 0; i < total; i++, at = (at + step) % total) {
    const image = Math.floor(at / places);
    const shape = shapeOf(image);
    const place = at % places;
    if (place < shape.boxes) yield annotationJson(shape, at, new Random(seed, 'box', image, place));
  }
}

function captionsJson(image: number): string {
  const { id, boxes } = shapeOf(image);
  const random = new Random(seed, 'captions', image);
  const thing = () => {
    const category = categoryOf(new Random(seed, 'box', image, random.integer(0, boxes - 1)));
    const [name = ''] = (objects365Categories[category - 1]?.name ?? '').split('/');
    return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;
  };
  const sentence = () => `${thing()} ${random.pick(RELATIONS)} ${thing()}`;
  return `"${id}": ${JSON.stringify([sentence(), sentence()])}`;
}

function* each(make: (image: number) => string): Generator<string> {
  for (let image = 0; image < images; image++) yield make(image);
}

/** Writes texts, and lists of texts separated by commas. */
function write(path: string, ...parts: readonly (string | Iterable<string>)[]): void {
  const file = openSync(path, 'w');
  let text = '';
  for (const part of parts) {
    let first = true;
    for (const piece of typeof part === 'string' ? [part] : part) {
      text += first ? piece : `, ${piece}`;
      first = false;
      if (text.length > 1 << 20) {
        writeSync(file, text);
        text = '';
      }
    }
  }
  writeSync(file, text);
  closeSync(file);
}

function wholeNumber(option: 'images' | 'boxes-per-image' | 'seed'): number {
  const value = Number(values[option]);
  return Number.isSafeInteger(value) && value > 0
    ? value
    : fail(`--${option} is ${values[option]}, expected a whole number`);
}

function fail(problem: string): never {
  console.error(`generate-objects365: ${problem}`);
  process.exit(2);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

const categories = objects365Categories.map(({ official, id }) => `{"name": ${JSON.stringify(official)}, "id": ${id}}`);
const licenses = Array.from({ length: 8 }, (_, i) => `{"id": ${i + 1}, "name": "license ${i + 1}", "url": ""}`);
write(
  values.out,
  '{"images": [',
  each(imageJson),
  '], "annotations": [',
  shuffledBoxes(),
  '], "categories": [',
  categories,
  '], "licenses": [',
  licenses,
  ']}\n',
);
if (values.captions !== undefined) write(values.captions, '{', each(captionsJson), '}\n');
