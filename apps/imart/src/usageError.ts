/** A command was called in a way that it cannot be: it ends with exit code 2. */
export class UsageError extends Error {}
