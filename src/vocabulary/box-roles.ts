import { memoize } from '../parser/language/memoize.js';
import { nameKeys } from './category-names.js';

/** What the boxes of a category usually do: the part that a rule about boxes may rely on. */
export type BoxRole = 'hangs' | 'stands' | 'ridden' | 'board' | 'supports' | 'lies' | 'person';

const WORDS: Readonly<Record<BoxRole, string>> = {
  hangs: `kite, clock, traffic light, stop sign, traffic sign, street lights, picture/frame, air conditioner, hot-air balloon,
    lantern, chandelier`,
  stands: `person, bicycle, car, motorcycle, bus, train, truck, fire hydrant, parking meter, bench, cat, dog, horse, sheep,
    cow, elephant, bear, zebra, giraffe, chair, couch, potted plant, bed, dining table, toilet, oven, refrigerator, suv, van,
    pickup truck, sports car, desk, nightstand, stool, machinery vehicle, heavy truck, carriage, tricycle, scooter, deer, camel,
    goose, chicken, pig, trash bin can, storage box, barrel/bucket, cone`,
  ridden: 'motorcycle, bicycle, horse, elephant, camel, donkey',
  board: 'skateboard, surfboard, snowboard, skis, skating and skiing shoes',
  supports: 'dining table, desk, bed, couch, bench, coffee table, side table, nightstand',
  lies: `cup, bowl, wine glass, bottle, fork, knife, spoon, sandwich, orange, apple, banana, broccoli, carrot, hot dog, pizza,
    donut, cake, laptop, mouse, remote, keyboard, cell phone, book, scissors, teddy bear, vase, plate, napkin, pot, tea pot,
    cutting/chopping board, lemon, bread, candle, tablet, tray, egg, hamburger, pen/pencil, pillow, chips, cookies, tissue,
    chopsticks, canned, telephone, flower, basket, pie, cheese, salad, saucer`,
  person: 'person',
};

const KEYS: ReadonlyMap<BoxRole, ReadonlySet<string>> = new Map(
  (Object.entries(WORDS) as [BoxRole, string][]).map(([role, words]) => [
    role,
    new Set(words.split(',').flatMap((word) => nameKeys(word.replace(/\s+/g, ' ').trim()))),
  ]),
);

/** Returns the roles of a category, by its name in any spelling. Categories of other names have none. */
export const boxRoles: (category: string) => ReadonlySet<BoxRole> = memoize(20_000, (category) => {
  const keys = nameKeys(category);
  return new Set([...KEYS].flatMap(([role, known]) => (keys.some((key) => known.has(key)) ? [role] : [])));
});
