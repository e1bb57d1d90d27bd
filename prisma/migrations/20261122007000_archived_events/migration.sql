-- Events of aggregates that are finished, out of the log: as they were there.
CREATE TABLE "archived_events" (
    "subject" SMALLINT NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "aggregate_hash" BIGINT NOT NULL,
    "aggregate_type" TEXT NOT NULL,
    "aggregate_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "time_us" BIGINT NOT NULL,
    "tx_hash" BYTEA NOT NULL,
    "block_hash" BYTEA NOT NULL,
    "address" TEXT NOT NULL,
    "content_hash" BYTEA NOT NULL,
    "feed_no" BIGINT NOT NULL,
    "version" BIGINT NOT NULL,
    CONSTRAINT "archived_events_pkey" PRIMARY KEY ("subject", "seq_no")
);
CREATE UNIQUE INDEX "archived_events_version_key"
    ON "archived_events"("subject", "aggregate_hash", "aggregate_type", "aggregate_id", "version");

-- What takes no more commands.
CREATE TABLE "archived_aggregates" (
    "subject" SMALLINT NOT NULL,
    "aggregate_hash" BIGINT NOT NULL,
    "aggregate_type" TEXT NOT NULL,
    "aggregate_id" TEXT NOT NULL,
    "version" BIGINT NOT NULL,
    "archived_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "archived_aggregates_pkey" PRIMARY KEY ("subject", "aggregate_hash", "aggregate_type", "aggregate_id")
);
