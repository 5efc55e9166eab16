import type { Image } from '../../records/image.js';
import type { Ask } from './image-questions.js';
import type { Shown } from './regions.js';
import { type Judged, type Statement, statementQuestion, type Turn } from './statement-question.js';

/** A statement is decided by one order if one of its answers has at least this probability. */
const DECIDED = 0.9;
/**
 * The orders of the statements. The first has the relation itself at the end, since many models prefer the first letter. Without
 * probabilities the last two are sampled, if the first two differ.
 */
const TURNS: readonly Turn[] = [
  { isBackward: true, seed: 0 },
  { isBackward: false, seed: 0 },
  { isBackward: true, seed: 1 },
  { isBackward: false, seed: 2 },
];
const ORDERS = 2;

/**
 * Asks whether statements hold, in one order and then in the other if it is not clear. Without probabilities from the server
 * an answer that the relation holds is enough, and otherwise those of several orders and seeds are counted.
 *
 * @returns the probabilities by statement; undefined where they are not known yet
 */
export async function judgeStatements(
  statements: readonly Statement[],
  image: Image,
  ask: Ask,
  shown: Shown,
): Promise<(Omit<Judged, 'isMeasured'> | undefined)[]> {
  const votes: Judged[][] = statements.map(() => []);
  for (const [index, turn] of TURNS.entries()) {
    const open = statements.flatMap((_, place) => (isOpen(votes[place]!, index) ? [place] : []));
    if (open.length === 0) break;
    const asked = open.map((place) => statements[place]!);
    const judged = await ask(statementQuestion(asked, image, turn, shown));
    if (!judged) break;
    for (const [position, place] of open.entries()) votes[place]!.push(judged[position]!);
  }
  return votes.map((all) =>
    all.length === 0 ? undefined : { holds: share(all, 'holds'), reversed: share(all, 'reversed') },
  );
}

/** Returns whether one more answer is needed. */
function isOpen(votes: readonly Judged[], turn: number): boolean {
  const [first, second] = votes;
  if (!first) return true;
  if (first.isMeasured) {
    const isDecided = [first.holds, first.reversed, 1 - first.holds - first.reversed].some((part) => part >= DECIDED);
    return turn < ORDERS && !isDecided;
  }
  // A bare answer that agrees with the first look is enough.
  if (!second) return first.holds < 1;
  return first.holds !== second.holds || first.reversed !== second.reversed;
}

/** Returns the mean of the server's probabilities, or the share of bare answers, which are never all or none. */
function share(votes: readonly Judged[], of: 'holds' | 'reversed'): number {
  const sum = votes.reduce((total, vote) => total + vote[of], 0);
  return votes[0]!.isMeasured ? sum / votes.length : (sum + 0.5) / (votes.length + 1);
}
