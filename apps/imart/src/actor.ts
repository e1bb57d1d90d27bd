import { userInfo } from 'node:os';

/** Who does something, for the record: the name given, or the user of the operating system. */
export function actor(by: string | undefined): string {
  if (by !== undefined && by.trim() !== '') return by.trim();
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the system's list, as containers have.
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
