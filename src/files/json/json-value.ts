import type { Id } from '../../records/image.js';

const nothing: Readonly<Record<string, unknown>> = {};

/** The fields of a value; none where it is not an object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : nothing;
}

/** The elements of a value; none where it is not an array. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether a value is a whole number or a text that is not empty. */
export function isId(value: unknown): value is Id {
  return Number.isSafeInteger(value) || (typeof value === 'string' && value !== '');
}

/** An id for look-ups between files: keys of JSON objects are texts, so 7 and '7' are the same here. */
export function idKey(id: Id): Id {
  const isWhole = typeof id === 'string' && /^(0|-?[1-9]\d{0,15})$/.test(id) && Number.isSafeInteger(Number(id));
  return isWhole ? Number(id) : id;
}

/** The beginning of a value as JSON, for messages. */
export function formatValue(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? 'missing';
}
