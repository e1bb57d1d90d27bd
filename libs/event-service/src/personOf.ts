import type { AggregateDefinition } from './aggregate';
import { CommandInvalidError } from './errors';
import { UNREADABLE } from './personalData';
import { personalValues } from './sealedData';

/** A person's name has as many characters at most. */
const PERSON_LENGTH_MAX = 256;

/**
 * Whose data an accepted event has; `null`: nobody's.
 * @throws {CommandInvalidError} a personal field is no text, or the person has no name that can be stored.
 */
export function personOf(
  definition: AggregateDefinition,
  { name, id }: { readonly name: string; readonly id: string },
  data: unknown,
): string | null {
  const personal = definition.events[name]?.personal;
  if (personal === undefined || typeof data !== 'object' || data === null) return null;
  const problems = personal.fields.flatMap((field) => {
    const value = (data as Readonly<Record<string, unknown>>)[field] ?? UNREADABLE;
    return typeof value === 'string' ? [] : [`data.${field}: what is about a person must be a text`];
  });
  if (problems.length > 0) throw new CommandInvalidError(definition.type, problems);
  if (Object.keys(personalValues(personal.fields, data)).length === 0) return null;
  const person: unknown = personal.person(data, id);
  if (
    typeof person !== 'string' ||
    person.length === 0 ||
    person.length > PERSON_LENGTH_MAX ||
    /\0|\p{Surrogate}/u.test(person)
  ) {
    throw new CommandInvalidError(definition.type, [
      `data: the person that it is about must be named by 1 to ${PERSON_LENGTH_MAX} characters, all of them valid`,
    ]);
  }
  return person;
}
