import type { Id } from '../../records/image.js';

const noFields: Readonly<Record<string, unknown>> = {};

/** Returns the fields of a value; none if it is not an object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : noFields;
}

/** Returns the elements of a value; none if it is not an array. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Returns whether a value is a whole number or a non-empty string. */
export function isId(value: unknown): value is Id {
  return Number.isSafeInteger(value) || (typeof value === 'string' && value !== '');
}

/**
 * Returns the id that a value of a file gives, in one form: 7, 7.0, '7' and '7.0' are the number 7. Any other text
 * stays as written, without surrounding white space, such as '007' or the digits of a number beyond 2^53.
 * @returns undefined if the value is neither a whole number nor a text
 */
export function readId(value: unknown): Id | undefined {
  // Adding 0 turns -0 into 0.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' ? undefined : idKey(text);
}

/** Returns the form of an id that `readId` returns, for ids that were not read by it, such as keys of objects. */
export function idKey(id: Id): Id {
  if (typeof id === 'number' || !wholeNumber.test(id)) return id;
  const number = Number(id);
  return Number.isSafeInteger(number) ? number + 0 : id;
}

/** A whole number without leading zeros, written as an integer or as a float. */
const wholeNumber = /^(?:0|-?[1-9]\d{0,15})(?:\.0+)?$/;

/** Describes why a value is not an id, for messages. */
export function idProblem(value: unknown): string {
  const isInexact = typeof value === 'number' && Number.isInteger(value);
  return isInexact
    ? `${value}, a float beyond ${Number.MAX_SAFE_INTEGER} that has lost digits; expected the digits or a text`
    : `${formatJsonValue(value)}, expected a whole number or a non-empty string`;
}

/** Formats a value for messages: the first 100 characters of its JSON. */
export function formatJsonValue(value: unknown): string {
  try {
    return JSON.stringify(value)?.slice(0, 100) ?? 'missing';
  } catch {
    return 'a deeply nested value';
  }
}
