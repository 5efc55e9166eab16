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
 * Returns the key of an id for lookups between files. 7 and '7' have the same key, since JSON object keys are strings.
 */
export function idKey(id: Id): Id {
  const isInteger = typeof id === 'string' && /^(0|-?[1-9]\d{0,15})$/.test(id) && Number.isSafeInteger(Number(id));
  return isInteger ? Number(id) : id;
}

/** Formats a value for messages: the first 100 characters of its JSON. */
export function formatValue(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'missing';
}
