import type { Activations, OwnerRows } from './activations.js';
import type { Network } from './network.js';
import { attributeDistanceOf, tagStride } from './parameters.js';
import { type Found, spanRows } from './relation-decoder.js';
import { SpanSet, type TokenSpan } from './span-set.js';
import type { Phrases } from './tag-sequence.js';

/** An attribute and the mentions that it is said of. */
export interface AttributeReading extends TokenSpan {
  readonly mentions: readonly number[];
}

/** Mentions further away, in words, own no attribute. */
export const ownerReach = 12;

const isNear = (attribute: TokenSpan, mention: TokenSpan) => Math.abs(mention.start - attribute.end) <= ownerReach;

/** Rows of the network's activations → who owns each attribute, for each of several readings of a caption. */
export function decodeOwners(
  network: Network,
  a: Activations,
  taggings: readonly Phrases[],
): Found<AttributeReading>[] {
  const mentions = new SpanSet();
  const attributes = new SpanSet();
  const owners: OwnerRows[] = [];
  /** Attribute → mention → its place among the owners. */
  const placesOf: number[][] = [];
  const placeOf = (attribute: TokenSpan, mention: TokenSpan): number => {
    const [row, column] = [attributes.add(attribute), mentions.add(mention)];
    const places = placesOf[row] ?? [];
    placesOf[row] = places;
    const known = places[column];
    if (known !== undefined) return known;
    places[column] = owners.length;
    owners.push({ attribute: row, mention: column, distance: attributeDistanceOf(mention.start - attribute.end) });
    return owners.length - 1;
  };
  const placed = taggings.map((tagging) =>
    tagging.attributes.map((attribute) =>
      tagging.mentions.map((mention) => (isNear(attribute, mention) ? placeOf(attribute, mention) : -1)),
    ),
  );
  network.own(a, spanRows(attributes.spans), spanRows(mentions.spans), owners);
  return taggings.map((tagging, n) => {
    let total = 0;
    const found = tagging.attributes.map(({ start, end }, attribute): AttributeReading => {
      const owned: number[] = [];
      let likeliest = -1;
      let best = Number.NEGATIVE_INFINITY;
      placed[n]![attribute]!.forEach((place, mention) => {
        if (place < 0) return;
        const score = a.ownerScores[place * tagStride]!;
        total -= Math.log1p(Math.exp(-Math.abs(score)));
        if (score > 0) owned.push(mention);
        if (score <= best) return;
        best = score;
        likeliest = mention;
      });
      // An attribute is said of something, even if of nothing surely.
      if (owned.length === 0 && likeliest >= 0) owned.push(likeliest);
      return { start, end, mentions: owned };
    });
    return { found, score: total };
  });
}
