import { digest } from '../files/digest.js';

/** Adds the field `check`, the SHA-256 of the other fields, by which a later change is noticed. */
export function seal<T extends object>(value: T): T & { check: string } {
  return { ...value, check: digest(value) };
}

/** Returns whether a value has no field `check`, or one that matches its other fields. */
export function isUnchanged({ check, ...value }: { readonly check?: unknown }): boolean {
  return check === undefined || check === digest(value);
}
