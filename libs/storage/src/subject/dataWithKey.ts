/**
 * SQL: the column `data` of this alias; where it is sealed for a person, with that person's key before it, while there is one. Key and
 * data are of one statement, and nobody keeps keys: once one is deleted, no reading that begins later opens what it sealed.
 */
export const dataWithKey = (alias: string): string =>
  `CASE WHEN starts_with(${alias}.data, 'sealed:') THEN coalesce((SELECT 'key:' || encode(pk.sealed_key, 'hex') || ':' ` +
  `FROM person_keys pk WHERE pk.id = substring(${alias}.data FROM '^sealed:([0-9]{1,18}):')::bigint), '') || ${alias}.data ` +
  `ELSE ${alias}.data END`;
