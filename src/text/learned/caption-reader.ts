import { startsPreposition } from '../prepositions.js';
import { Activations } from './activations.js';
import type { Kernels } from './kernels/kernels.js';
import { type AttributeReading, decodeOwners, ownerReach } from './owner-decoder.js';
import { windowSize } from './parameters.js';
import type { ParserModel } from './parser-model.js';
import { readRow } from './quantized-rows.js';
import { type Fillings, type MentionReading, pairReach, RelationDecoder } from './relation-decoder.js';
import { prepositionsAt } from './relation-labels.js';
import type { TokenSpan } from './span-set.js';
import { likeliestTags, phrasesOf } from './tag-sequence.js';
import { isOneNoun, startsCompound, verbOf, wordForm } from './word-inputs.js';

/** What a caption says, in terms of its words. */
export interface CaptionReading {
  readonly mentions: readonly TokenSpan[];
  readonly attributes: readonly AttributeReading[];
  readonly relations: readonly MentionReading[];
}

/** Most words of a caption; more are not read. */
export const maxWords = 512;
/** The taggings of a caption that are read to the end: what the tags alone make less likely, relations do not save. */
const readings = { count: 3, reach: 1.5 };
const oneReading = { count: 1, reach: 0 };
/** Captions of more words are read once. */
const severalReadings = 64;
/** Words that are kept in mind; captions have few. */
const knownWords = 8192;

/** What a word is, found out once. */
interface KnownWord {
  /** Where it lies among `given`. */
  readonly slot: number;
  /** The verb that it may be in a predicate. */
  readonly verb: string | undefined;
  readonly startsCompound: boolean;
  readonly startsPreposition: boolean;
}

/** Reads one caption at a time with a trained network. */
export class CaptionReader {
  readonly #model: ParserModel;
  readonly #a: Activations;
  readonly #kernels: Kernels;
  readonly #relations: RelationDecoder;
  readonly #word: Float32Array;
  /** Word → its row among the model's vectors. */
  readonly #rowOf: ReadonlyMap<string, number>;
  /** What each known word gives to the rows around it, for each place in the window: `[words, window, hidden]`. */
  readonly #given: Float32Array;
  readonly #known = new Map<string, KnownWord>();
  /** By row: which word stands there, and whether it is one noun with those beside it. */
  readonly #slots: Int32Array;
  readonly #compounds: Int32Array;

  constructor(kernels: Kernels, model: ParserModel) {
    const { sizes } = model.network;
    // Of a caption of `severalReadings` words all taggings together have fewer pairs than the longest caption has of one.
    const most = { rows: maxWords, pairs: pairReach * maxWords, owners: (2 * ownerReach + 1) * maxWords };
    this.#model = model;
    this.#a = new Activations(kernels, sizes, most);
    this.#kernels = kernels;
    this.#relations = new RelationDecoder(kernels, model.network, model.labels, most.pairs);
    this.#word = kernels.floats(sizes.input);
    this.#rowOf = new Map(model.words.words.map((word, row) => [word, row]));
    this.#given = kernels.floats(knownWords * windowSize * sizes.hidden);
    this.#slots = kernels.integers(maxWords);
    this.#compounds = kernels.integers(maxWords);
  }

  /** @param words lower case, at most `maxWords` */
  read(words: readonly string[]): CaptionReading {
    const rows = words.length;
    if (rows === 0) return { mentions: [], attributes: [], relations: [] };
    const { network } = this.#model;
    const { hidden } = network.sizes;
    const { windowBias, compounds, transitions, starts } = network.parameters;
    const a = this.#a;
    const fillings = this.#lookUp(words);
    this.#kernels.windows(
      rows,
      hidden,
      this.#slots,
      this.#given,
      windowSize,
      windowBias,
      compounds,
      this.#compounds,
      a.windowed,
    );
    const caption = [{ start: 0, length: rows }];
    network.tellContext(a, caption, rows);
    network.read(a, caption, rows);
    const scores = { tagScores: a.tagScores, transitions, starts };
    const likely = likeliestTags(scores, 0, rows, rows > severalReadings ? oneReading : readings);
    const phrases = likely.map(({ tags }) => phrasesOf(tags));
    const relations = this.#relations.decode(
      a,
      fillings,
      phrases.map(({ mentions }) => mentions),
    );
    const owners = decodeOwners(network, a, phrases);
    let best = 0;
    let bestScore = Number.NEGATIVE_INFINITY;
    likely.forEach(({ score }, n) => {
      const total = score + relations[n]!.score + owners[n]!.score;
      if (total <= bestScore) return;
      bestScore = total;
      best = n;
    });
    const { mentions } = phrases[best]!;
    return { mentions, relations: relations[best]!.found, attributes: owners[best]!.found };
  }

  /** Fills the slots and the compounds. */
  #lookUp(words: readonly string[]): Fillings {
    if (this.#known.size + words.length > knownWords) this.#known.clear();
    const verbs: (string | undefined)[] = [];
    const prepositions: (string | undefined)[] = [];
    this.#compounds.fill(0, 0, words.length);
    for (let t = 0; t < words.length; t++) {
      const known = this.#knownWord(words[t]!);
      this.#slots[t] = known.slot;
      verbs.push(known.verb);
      prepositions.push(known.startsPreposition ? prepositionsAt(words, t) : undefined);
      if (!known.startsCompound || t + 1 === words.length || !isOneNoun(words[t]!, words[t + 1]!)) continue;
      this.#compounds[t]! |= 2;
      this.#compounds[t + 1]! |= 1;
    }
    return { verbs, prepositions };
  }

  #knownWord(word: string): KnownWord {
    let known = this.#known.get(word);
    if (known) return known;
    known = {
      slot: this.#known.size,
      verb: verbOf(word),
      startsCompound: startsCompound(word),
      startsPreposition: startsPreposition(word),
    };
    this.#give(word, known.slot);
    this.#known.set(word, known);
    return known;
  }

  /** Fills a word's slot. */
  #give(word: string, slot: number): void {
    const { network } = this.#model;
    const { input, hidden } = network.sizes;
    const { affixes, shapes, window } = network.parameters;
    const x = this.#word;
    readRow(this.#model.words.rows, this.#rowOf.get(word) ?? 0, x);
    const form = wordForm(word);
    for (const affix of form.affixes) this.#kernels.add(x, 0, affixes, affix * input, input);
    this.#kernels.add(x, 0, shapes, form.shape * input, input);
    for (let place = 0; place < windowSize; place++) {
      const weights = window.subarray(place * input * hidden, (place + 1) * input * hidden);
      const start = (slot * windowSize + place) * hidden;
      this.#kernels.linear(1, x, 0, input, weights, null, this.#given, start, hidden);
    }
  }
}
