-- The zero address has the form of its chain's addresses. States are rebuilt from the log, as the reducers have changed;
-- what was told before is told by no event again.
UPDATE "notifications" n SET "currency" = '0x' || repeat('0', 64)
FROM "subjects" s
WHERE s."id" = n."subject" AND s."subject_id" LIKE 'aptos:%' AND n."currency" = '0x' || repeat('0', 40);
