// Measures the time of `pair` and `tag` per image with 10, 100 and 1,000 boxes, and of `pair` with 10,000.
import { firstValueFrom, of } from 'rxjs';
import {
  baselineTagger,
  type Detection,
  type ImageRecord,
  type Matched,
  type Parsed,
  pair,
  tag,
} from '../src/index.js';

const CATEGORIES = ['person', 'horse', 'dog', 'bench', 'cup'];
const TEXTS = ['riding', 'next to', 'on', 'holding', 'behind'];

/** An image of `count` boxes and five captions that relate its categories. */
function crowdedImage(count: number): ImageRecord & Parsed & Matched & { captions: [] } {
  const detections = Array.from({ length: count }, (_, index): Detection => {
    const x = (index * 37) % 600;
    const y = (index * 53) % 440;
    return { id: index + 1, category: CATEGORIES[index % CATEGORIES.length]!, box: [x, y, 40, 40] };
  });
  const entity = (span: string) => ({ span, start: 0, end: span.length, head: span, lemma: span, attributes: [] });
  const phrases = TEXTS.map((predicate, index) => {
    const relations = [{ subject: 0, object: 1, predicate, lemma: predicate }];
    return { entities: [entity('person'), entity(CATEGORIES[index]!)], relations };
  });
  const mentions = phrases.flatMap(({ entities }, caption) =>
    entities.map(({ span }, index) => ({ caption, entity: index, category: span, why: '' })),
  );
  return {
    image: { id: 1, file: '1.jpg', width: 640, height: 480, dataset: 'bench', split: '' },
    origin: { source: 'bench', file: 'bench' },
    captions: [],
    detections,
    phrases,
    mentions,
  };
}

/** Returns the mean time of a call in milliseconds, over at least a second, after one warm-up call. */
async function perImage(work: () => Promise<unknown>): Promise<number> {
  await work();
  const start = performance.now();
  let rounds = 0;
  do {
    await work();
    rounds++;
  } while (performance.now() - start < 1000);
  return (performance.now() - start) / rounds;
}

console.log('boxes   pairs   pair ms/image   tag ms/image');
for (const count of [10, 100, 1000]) {
  const image = crowdedImage(count);
  const paired = await firstValueFrom(of(image).pipe(pair({ maxPairs: 1e9 })));
  const pairing = await perImage(() => firstValueFrom(of(image).pipe(pair({ maxPairs: 1e9 }))));
  const tagging = await perImage(() => firstValueFrom(of(paired).pipe(tag(baselineTagger()))));
  const cells = [String(count).padStart(5), String(paired.candidates.length).padStart(7)];
  console.log(`${cells.join(' ')} ${pairing.toFixed(3).padStart(15)} ${tagging.toFixed(3).padStart(14)}`);
}
const large = crowdedImage(10_000);
const limited = await perImage(() => firstValueFrom(of(large).pipe(pair())));
console.log(`10000 boxes with the default limit of 10,000 pairs: ${limited.toFixed(0)} ms/image`);
