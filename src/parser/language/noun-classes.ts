import { wordList } from './lexicon/lexicon.js';
import { memoize } from './memoize.js';
import { wordSet } from './word-set.js';

/**
 * Kind of thing that a noun names, as far as it decides which noun is a verb's subject: a man in a jacket can ride, a jacket
 * cannot. `thing` stands for every noun that the lists below lack.
 */
export type NounClass = keyof typeof lists | 'thing';

/**
 * Returns the class of a noun.
 * @param lemma a singular in lower case
 * @param modifier the word before it in the noun phrase, which can change the meaning (`hot dog`)
 */
export function nounClass(lemma: string, modifier?: string): NounClass {
  if (modifier !== undefined && lookalikes.has(`${modifier} ${lemma}`)) return 'thing';
  const known = classes.get(lemma);
  if (known) return known;
  return otherClass(lemma);
}

const otherClass = memoize(
  20_000,
  (lemma: string): NounClass => (personEnding.test(lemma) || wordList('people').has(lemma) ? 'person' : 'thing'),
);

/** Checks whether nouns of this class can act by themselves. */
export const isAnimate = (nounClass: NounClass): boolean => nounClass === 'person' || nounClass === 'animal';

/** Nouns that only count or collect the noun after their `of`: the phrase `a group of people` is about the people. */
export const collectives = wordSet(`
  amount array assortment batch bit bunch bunches cluster collection couple couples crowd dozen dozens flock flocks
  game group groups herd herds hundreds kind kinds line lot lots multitude number pack pair pairs patch patches piece pieces pile piles
  portion row rows selection series set sets slice slices sort stack stacks swarm swarms team thousands tons trio type types
  variety`);

/** Nouns that refer to the image itself when `of` follows: "a photo of", "a close up of". */
export const pictureNouns = wordSet('close-up closeup image photo photograph picture shot up view');
/** Nouns for pictures that hang or lie in a scene. */
export const sceneryPictures = wordSet('drawing image mural painting photo photograph picture portrait poster sketch');

/** Checks whether a caption that starts with a picture speaks of one in the scene: "a picture of a ship hangs on the wall". */
export const isHangingPicture = (words: readonly string[]): boolean =>
  words.some(
    (word, k) => hangs.has(word) || (word === 'on' && words.slice(k + 1, k + 4).some((next) => surfaces.has(next))),
  );
const hangs = wordSet('hang hangs hanging hung');
const surfaces = wordSet('shirt t-shirt sweatshirt refrigerator fridge mug');

/** What pictures are on. */
export const pictureHangers = wordSet(
  'wall walls screen shirt t-shirt refrigerator fridge door shelf desk easel mug monitor laptop frame',
);

/**
 * Checks whether a noun names nothing that a box could show: qualities, impressions and the picture itself ("tranquility", "a touch of
 * magic", "the scene").
 * @param lemma a singular in lower case
 */
export const isAbstract = (lemma: string): boolean =>
  abstractNouns.has(lemma) || (abstractEnding.test(lemma) && !concreteNouns.has(lemma));

const abstractEnding = /(?:ness|ity|ism|ance|ence|hood|ship|tion|sion|ment)$/;
const concreteNouns =
  wordSet(`ship battleship spaceship apartment monument instrument equipment pavement basement vestment
  garment ornament document cement station intersection mansion television reception carnation plantation entrance audience
  fence ambulance appliance residence city electricity condiment compartment section extension potion lotion construction
  decoration destination vegetation refreshment casement embankment hood vanity presentation experiment elevation department establishment settlement tournament advertisement facility university community security statement
  harness instruction direction`);
const abstractNouns =
  wordSet(`accent action activity adventure aim anticipation appeal atmosphere attention aura backdrop balance beauty
  blend blur calm care charm closer color colour comfort contrast day depth detail effect elegance element
  emphasis energy example experience feel feeling focus glimpse glow harmony hint hue idea illusion image impression joy journey
  kind life look love magic manner message mix mood moment motion movement mystery narrative nature night morning afternoon evening
  order other palette part pattern peace perspective point presence pride purpose reflection rest result sense
  setting shape sign-of-life silence simplicity size sort space state story style symmetry tale testament texture theme thing
  thought time tone touch tranquillity tranquil type use variety vibe view viewer way whole width wonder work world year
  scene shot one some both each another all he she it they him them her who which this that these those
  himself herself itself themselves none nothing something anything everything instead addition fact
  tableau sentinel surroundings expanse posture gaze half snapshot hustle bustle marvel grandeur interest safety intrigue skill
  freedom interplay reminder spectacle vibrancy
  ambiance ambience camaraderie companionship contemplation craftsmanship culture dignity emotion essence excitement flavor fun
  heritage history intimacy laughter leisure lifestyle luxury memory nostalgia pace passion precision relaxation relationship
  rhythm routine sheen solitude sophistication spirit success suspense tension tradition urgency warmth wisdom
  arrangement composition position angle side left right center middle background foreground distance top bottom front`);

const lists = {
  person: wordSet(`
      actor adult angler artist athlete audience baby barber barista bartender batsman batter bicyclist biker bishop
      boarder boss bowler boxer boy bride bridesmaid brother bull-rider camper captain catcher celebrity chef chick
      child choir cleaner climber clown coach cobbler commuter conductor cook cop couple cowboy coworker crew
      crossing-guard crowd curler customer cyclist dad dancer daughter diner dishwasher diver doctor driver duo elder
      employee family fan farmer father female fielder fighter fisherman florist friend gentleman girl goalie
      goalkeeper graduate grandfather grandma grandmother grandpa groom groomer group guard guest guide guy herder
      hiker hitter hunter husband infant instructor jockey judge kayaker kid kitesurfer knight lady lifeguard
      lumberjack male man mason merchant model mom monk mother motorcyclist musician nun nurse officer opponent orphan
      owner painter paraglider parent passenger pedestrian performer person photographer pilot pirate pitcher player
      police policeman politician porter president princess queen quilter racer rafter rapper referee rider runner
      sailor santa scientist sculptor secretary senior server shopper singer sister skateboarder skater skier sledder
      snorkeler snowboarder soldier somebody someone son speaker spectator student surfer sweeper swimmer teacher team
      teammate teen teenager toddler tourist traveler trio trumpeter twin umpire usher vendor visitor waiter waitress
      walker weaver wife woman worker youngster youth zookeeper`),
  animal: wordSet(`
      alligator alpaca animal ant antelope beagle bear beast bee bird bison bobcat buffalo bug bull bulldog butterfly
      calf camel cardinal cat cattle cheetah chicken collie corgi cow crab crane creature cub deer dog dolphin donkey
      dove dragon duck duckling eagle elephant elk ewe falcon fish flamingo foal fox frog gazelle giraffe goat goose
      gorilla gull hawk hen heron hippo hippopotamus horse hummingbird husky hyena insect kitten kitty lab labrador lamb
      leopard lion livestock lizard llama mammal meerkat monkey moose mule ostrich otter owl ox panda parakeet parrot peacock
      pelican penguin pet pig pigeon polar-bear pony poodle pug pup puppy rabbit raccoon ram rat raven reindeer
      retriever rhino rhinoceros robin rooster seagull seal shark sheep sheepdog shepherd snake sparrow spider
      squirrel stallion stork swan tabby terrier tiger turkey turtle vulture walrus whale wildebeest wolf woodpecker
      zebra`),
  vehicle: wordSet(`
      aeroplane aircraft airliner airplane ambulance bicycle bike biplane boat bus cab canoe car carriage cart coach
      convertible ferry ferryboat firetruck freighter glider helicopter jeep jet jetliner kayak limo locomotive
      minivan moped motorbike motorboat motorcycle pickup plane raft rowboat sailboat scooter sedan ship sled sleigh
      speedboat stroller subway suv tank taxi tractor trailer train tram tricycle trolley truck tugboat van vehicle
      vessel wagon yacht`),
  /** Boards and the like: "on a surfboard" describes the rider. */
  board: wordSet('board bodyboard horseback longboard paddleboard skate skateboard ski snowboard surfboard'),
  garment: wordSet(`
      apron attire bandana bikini blazer blouse boot bowtie cap clothes clothing coat costume dress fedora gear
      glove goggles gown hat headband headphones helmet hoodie jacket jean jeans jersey kimono mask necklace necktie
      outfit overalls pajamas pants robe sandal scarf shirt shoe shorts skirt sneaker sock suit sunglasses suspenders
      sweater sweatshirt swimsuit t-shirt tee tie trunks turban tutu tux tuxedo uniform vest visor wetsuit`),
  bodyPart: wordSet(`
      ankle arm back beak beard belly braid cheek chest chin claw ear elbow eye eyebrow face finger fingernail foot
      forearm forehead fur hair hand head heel hip hoof horn jaw knee knuckle lap leg lip mane mouth mustache muzzle
      neck nose palm paw ponytail shoulder side snout stomach tail talon teeth thigh throat thumb toe tongue tooth
      trunk tusk waist whisker wing wrist`),
  place: wordSet(`
      airport aisle alley area arena attic auditorium background backyard bakery balcony bank barn bathroom bay beach
      bedroom bridge building cabin cafe campsite canyon castle cave cellar cemetery church city classroom cliff coast
      corner cottage countryside court courtyard creek crossing crosswalk darkness deck desert diamond dirt distance
      dock driveway enclosure event factory farm field forest game garage garden glacier greenhouse gym hall hallway
      hangar harbor highway hill hillside hilltop home hospital house ice intersection island jungle kitchen laboratory
      lake land landing laundromat lawn library lobby lot marina market marsh match meadow mountain mountainside museum
      neighborhood nursery ocean office orchard parade park party pasture path patio pavement pier plain platform
      playground plaza pond pool porch prairie quay race rain ramp restaurant rink river riverbank road roadway rooftop
      room roundabout runway salon sand savanna school sea shop shore shoreline sidewalk slope snow square stable
      stadium stage station store stream street studio summit sun surf swamp tarmac temple terminal terrace theater
      town track trail valley village vineyard warehouse water waterway wharf wild wilderness wood woods workshop yard
      zoo`),
  /** Objects that people carry and use: in "cutting a cake with a knife" the person has the knife, not the cake. */
  tool: wordSet(`
      axe backpack bag balloon bat baton binoculars book briefcase broom brush camera cane cellphone chainsaw chalk
      chisel chopstick cigarette cleaver clipboard controller crayon crowbar drill flashlight fork frisbee glove guitar hammer
      handbag hoe hose iphone kite knife ladle laptop leash luggage magazine mallet marker megaphone microphone mitt
      mop needle newspaper oar paddle parasol pen pencil phone pitchfork plier pliers pole purse racket racquet rag rake razor remote rope saw scalpel scissor scissors scoop scraper screwdriver shear shears shovel sickle spade spatula
      sponge spoon squeegee stethoscope stick suitcase sword syringe tong tongs toothbrush toothpick trowel tweezers
      umbrella walkie-talkie wand whip whisk wiimote wrench`),
  time: wordSet('afternoon day daytime dusk evening fall morning night nighttime nite noon summer sunset time winter'),
  /** Actions expressed as nouns. */
  event: wordSet(`
      backflip barbecue bath break conversation dive flip game grind handstand jump kick maneuver meal meeting nap photo
      photograph picnic picture pose rest ride selfie shower somersault stroll stunt trick turn walk wheelie`),
} as const satisfies Record<string, ReadonlySet<string>>;

/** The first list that contains a word decides. */
const classes: ReadonlyMap<string, NounClass> = new Map(
  (Object.entries(lists) as [NounClass, ReadonlySet<string>][])
    .reverse()
    .flatMap(([name, words]) => [...words].map((word) => [word, name] as const)),
);

const lookalikes: ReadonlySet<string> = new Set([
  'hot dog',
  'corn dog',
  'chili dog',
  'record player',
  'cd player',
  'dvd player',
  'wine glass',
]);

const personEnding = /(?:man|woman|boy|girl|person|boarder|rider|player|surfer|skier)$/;
