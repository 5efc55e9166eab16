import { digitsOf } from '../language/number-words.js';

/** Maps phrases of captions to their form in graphs: `cell phone` → `cellphone`, `wood` → `wooden`. */
export class NormalForms {
  readonly entities: ReadonlyMap<string, string | null>;
  readonly attributes: ReadonlyMap<string, string>;

  /** @param entities phrase → name; null for a phrase that stands for the other end of its relation, such as `each other` */
  constructor(entities: ReadonlyMap<string, string | null>, attributes: ReadonlyMap<string, string>) {
    this.entities = entities;
    this.attributes = attributes;
  }

  /** Returns the name of an entity, or null. @param text the words of a mention, separated by spaces */
  entity(text: string): string | null {
    const name = this.entities.get(text);
    return name === undefined ? text : name;
  }

  /** Returns the normal form of an attribute. @param text its words, separated by spaces */
  attribute(text: string): string {
    return this.attributes.get(text) ?? digitsOf(text) ?? text;
  }
}
