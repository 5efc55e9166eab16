import { OptionError } from '../../errors.js';
import { fieldsOf } from '../../files/json/json-value.js';
import type { EditAction, EditRequest, NewEdit, Verdict } from '../review-api.js';
import type { RelationRef } from '../view-api.js';

/** Edits in one request. */
const MOST_EDITS = 200;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ANSWERS: readonly unknown[] = ['yes', 'no', '?'] satisfies readonly Verdict[];

/**
 * Reads the body of a request with edits.
 * @throws OptionError naming the first edit that is wrong
 */
export function readEdits(body: string): EditRequest {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new OptionError('edits', 'the request is not JSON');
  }
  const { edits } = fieldsOf(value);
  if (!Array.isArray(edits) || edits.length === 0 || edits.length > MOST_EDITS)
    throw new OptionError('edits', `expected a list of 1 to ${MOST_EDITS} edits`);
  return { edits: edits.map(readEdit) };
}

function readEdit(value: unknown, index: number): NewEdit {
  const fail = (problem: string): never => {
    throw new OptionError('edits', `edit ${index}: ${problem}`);
  };
  const { id, image, relation, what } = fieldsOf(value);
  if (typeof id !== 'string' || !UUID.test(id)) return fail('the id is not a UUID in lower case');
  if (!Number.isSafeInteger(image)) return fail('the image is not a number');
  return { id, image: image as number, relation: readRelation(relation, fail), what: readAction(what, fail) };
}

function readRelation(value: unknown, fail: (problem: string) => never): RelationRef {
  const { subject, predicate, object } = fieldsOf(value);
  if (!Number.isSafeInteger(subject) || !(object === null || Number.isSafeInteger(object)))
    return fail('a relation needs the numbers of its objects');
  if (typeof predicate !== 'string' || predicate.trim() === '') return fail('a relation needs a predicate');
  return { subject: subject as number, predicate, object: object as number | null };
}

function readAction(value: unknown, fail: (problem: string) => never): EditAction {
  const { action, to, edit, triplet, match } = fieldsOf(value);
  switch (action) {
    case 'approve':
    case 'unsure':
    case 'add':
      return { action };
    case 'reject': {
      for (const answer of [triplet, match])
        if (answer !== undefined && !ANSWERS.includes(answer)) return fail('an answer is not yes, no or ?');
      return {
        action,
        ...(triplet !== undefined && { triplet: triplet as Verdict }),
        ...(match !== undefined && { match: match as Verdict }),
      };
    }
    case 'change':
      return { action, to: readRelation(to, fail) };
    case 'undo':
      return typeof edit === 'string' ? { action, edit } : fail('undo needs the id of an edit');
    default:
      return fail('the action is none of approve, reject, unsure, change, add and undo');
  }
}
