-- Who may write through the API, and whom it tells of events.

-- A key is shown once, when it is made; here is a hash of it only.
CREATE TABLE "api_keys" (
    "id" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT[] NOT NULL,
    "requests_per_second" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(6),
    "revoked_by" TEXT,
    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- Addresses that are told of the events of a subject. Their cursors are subscriptions; the secret signs what they are sent.
CREATE TABLE "webhooks" (
    "id" TEXT NOT NULL,
    "subject" SMALLINT NOT NULL,
    "topic" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "owner" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "failing_since" TIMESTAMPTZ(6),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "last_error" TEXT,
    "disabled_at" TIMESTAMPTZ(6),
    CONSTRAINT "webhooks_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "webhooks_owner_idx" ON "webhooks"("owner");
