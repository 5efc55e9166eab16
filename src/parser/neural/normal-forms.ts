import { digitsOf } from '../language/number-words.js';

/** How graphs write what captions say: `cell phone` → `cellphone`, `wood` → `wooden`. */
export class NormalForms {
  readonly entities: ReadonlyMap<string, string | null>;
  readonly attributes: ReadonlyMap<string, string>;

  /** @param entities null for phrases that stand for the subject itself, `each other` */
  constructor(entities: ReadonlyMap<string, string | null>, attributes: ReadonlyMap<string, string>) {
    this.entities = entities;
    this.attributes = attributes;
  }

  /** @param text the words of a mention, blanks between */
  entity(text: string): string | null {
    const name = this.entities.get(text);
    return name === undefined ? text : name;
  }

  /** @param text the words of an attribute, blanks between */
  attribute(text: string): string {
    return this.attributes.get(text) ?? digitsOf(text) ?? text;
  }
}
