import { OptionError, RelflowError } from '../errors.js';
import { NO_REQUESTS } from '../records/add-forecasts.js';
import type { Candidates } from '../records/candidate.js';
import type { Captioned } from '../records/caption-record.js';
import type { ImageRecord } from '../records/image.js';
import { checkPositiveInteger } from '../records/option-checks.js';
import type { Proposal, ProposeRequest, RelationProposer } from '../records/ports.js';
import { normalPredicate } from '../vocabulary/predicate-list.js';
import { addTexts } from './add-texts.js';
import { passGates } from './box-gates.js';
import { nearbyPairs } from './nearby-pairs.js';
import { type Operator, operator } from './operator.js';
import { recordLabels } from './record-labels.js';

/** Options of `propose`. */
export interface ProposeOptions {
  /** The maximum number of pairs of an image to ask about: those that are closest to each other. Default 12. */
  readonly maxPairs?: number;
  /** The maximum number of pairs of one box. Default 4. */
  readonly pairsPerBox?: number;
  /** The relation texts that may be proposed, such as Visual Genome's. Default: any. */
  readonly predicates?: readonly string[];
  /** Number of images to ask about concurrently. Default: the proposer's preference, else 1. */
  readonly concurrency?: number;
}

/** The maximum number of words of a relation text. */
const MOST_WORDS = 6;

/**
 * Adds candidate relations that no caption states: a proposer, such as a vision-language model, names relations of boxes that
 * are close to each other. A proposal that boxes contradict is left out and counted by reason:
 *
 * - `gate-left-right`, `gate-above-below`: the center of the subject is not on that side of the object's;
 * - `gate-no-contact`: on, in, wearing, holding, carrying, riding and sitting, but the boxes are apart;
 * - `gate-not-on`: the subject's center is below the object's, or it is on one side of it;
 * - `gate-not-in`: the boxes do not overlap, or the subject is much larger;
 * - `gate-too-far`: next to, but far away;
 * - `gate-contradiction`: two proposals that cannot both hold, such as A on B and B on A.
 *
 * The texts have the source `proposal`. A tagger scores them like those of captions.
 *
 * @throws OptionError when an option is out of range
 *
 * @example
 * ```ts
 * import { caption, captionFile, coco, Graph, match, pair, parse, propose, sceneGraphs, tag, vlmProposer, vlmTagger } from 'relflow';
 *
 * const model = { endpointUrl: 'http://127.0.0.1:8000', model: 'Qwen/Qwen3-VL-8B-Instruct', images: 'val2017' };
 * new Graph('dense')
 *   .from(coco({ annotations: 'instances.json' }))
 *   .pipe(caption(captionFile({ captions: 'captions.json' })))
 *   .pipe(parse())
 *   .pipe(match())
 *   .pipe(pair())
 *   .pipe(propose(vlmProposer(model)))
 *   .pipe(tag(vlmTagger(model)))
 *   .to(sceneGraphs());
 * ```
 */
export function propose(
  proposer: RelationProposer,
  options: ProposeOptions = {},
): Operator<ImageRecord & Partial<Captioned & Candidates>, Captioned & Candidates> {
  const { maxPairs = 12, pairsPerBox = 4, predicates, concurrency = proposer.imagesAtOnce ?? 1 } = options;
  checkPositiveInteger('propose', 'maxPairs', maxPairs);
  checkPositiveInteger('propose', 'pairsPerBox', pairsPerBox);
  if (predicates?.length === 0) throw new OptionError('propose', 'predicates is empty, expected relation texts');
  const allowed = predicates && new Set(predicates.map(normalPredicate));
  const requestOf = (record: ImageRecord): ProposeRequest => ({
    image: record.image,
    detections: record.detections,
    labels: recordLabels(record),
    pairs: nearbyPairs(record.image, record.detections, { maxPairs, pairsPerBox }),
    ...(allowed && { predicates: [...allowed] }),
  });
  return operator<ImageRecord & Partial<Captioned & Candidates>, Captioned & Candidates>({
    name: 'propose',
    version: `1+${proposer.name}@${proposer.version}`,
    options: {
      proposer: proposer.name,
      maxPairs,
      pairsPerBox,
      ...(allowed && { predicates: [...allowed] }),
      ...proposer.options,
    },
    needs: ['image', 'detections'],
    adds: ['captions', 'candidates'],
    concurrency,
    ...(proposer.forecast && {
      lane: 'captions' as const,
      forecast: async (record, signal) => {
        const request = requestOf(record);
        return request.pairs.length === 0 ? NO_REQUESTS : proposer.forecast!(request, signal);
      },
    }),
    ...(proposer.usage && { usage: () => proposer.usage!() }),
    ...(proposer.close && { close: () => proposer.close!() }),
    apply: async (record, context) => {
      const { detections, captions = [], candidates = [] } = record;
      const request = requestOf(record);
      context.count('pairs-to-propose', request.pairs.length);
      if (request.pairs.length === 0) return { captions, candidates };
      const named = await proposer.propose(request, context.signal, context.count);
      checkProposals(proposer.name, named, detections.length);
      context.count('proposals', named.length);
      const usable = named
        .map((proposal) => ({ ...proposal, predicate: normalPredicate(proposal.predicate) }))
        .filter(({ predicate }) => {
          if (predicate === '' || predicate.split(' ').length > MOST_WORDS) context.count('proposal-not-a-predicate');
          else if (allowed && !allowed.has(predicate)) context.count('proposal-not-in-list');
          else return true;
          return false;
        });
      const { passed, rejected } = passGates(usable, detections);
      const nameOf = (index: number) => `${detections[index]!.category}#${index}`;
      for (const { proposal, reason } of rejected) {
        context.count(reason);
        context.explain?.(
          `(${nameOf(proposal.subject)}, ${proposal.predicate}, ${nameOf(proposal.object)}): rejected, ${reason}`,
        );
      }
      const texts = passed.map(({ subject, object, predicate }) => ({ subject, object, text: predicate }));
      const added = addTexts(candidates, texts, 'proposal');
      context.count('proposals-added', added.count);
      context.count('proposals-known', texts.length - added.count);
      return { captions, candidates: added.candidates };
    },
  });
}

/** @throws RelflowError when a proposal is not about two boxes of the image */
function checkProposals(name: string, proposals: readonly Proposal[], boxes: number): void {
  for (const { subject, object, predicate } of proposals) {
    const areBoxes = [subject, object].every((index) => Number.isInteger(index) && index >= 0 && index < boxes);
    if (!areBoxes || subject === object || typeof predicate !== 'string')
      throw new RelflowError(
        'bad-proposer',
        `propose: ${name} returned ${JSON.stringify({ subject, object, predicate })}, expected two different boxes of ${boxes} and a text`,
      );
  }
}
