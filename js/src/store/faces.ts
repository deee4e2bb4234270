// A person as a small circle with two letters.
import type { Person } from '../protocol/generated';
import { initialsOf } from './presence';

export interface Face {
  readonly name: string;
  readonly initials: string;
  readonly color: string;
}

export const faceOf = (person: Person, color: (person: Person) => string): Face => ({
  name: person.name || person.username,
  initials: initialsOf(person),
  color: color(person),
});
