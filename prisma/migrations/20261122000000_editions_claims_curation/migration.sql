-- Tokens of chains whose ids are 256 bits and an edition, tokens set aside for a receiver, curation, fees of sales.

-- The views are defined anew after the migrations. They hold on to the columns whose type changes.
DROP VIEW IF EXISTS "collection_view";
DROP VIEW IF EXISTS "collection_key_view";
DROP VIEW IF EXISTS "token_view";
DROP VIEW IF EXISTS "sale_view";
DROP VIEW IF EXISTS "offer_view";
DROP VIEW IF EXISTS "order_view";
DROP VIEW IF EXISTS "subject_view";

-- A 256-bit number and, above it, a 64-bit edition. Only the limit changes: no table is written anew.
ALTER TABLE "orders"
    ALTER COLUMN "token_id" TYPE DECIMAL(98,0),
    ADD COLUMN "beneath" TEXT;
ALTER TABLE "offers"
    ALTER COLUMN "token_id" TYPE DECIMAL(98,0),
    ADD COLUMN "beneath" TEXT;
ALTER TABLE "tokens"
    ALTER COLUMN "token_id" TYPE DECIMAL(98,0);
ALTER TABLE "balances"
    ALTER COLUMN "token_id" TYPE DECIMAL(98,0),
    ADD COLUMN "standard" TEXT NOT NULL DEFAULT 'erc1155';
ALTER TABLE "activities"
    ALTER COLUMN "token_id" TYPE DECIMAL(98,0),
    ADD COLUMN "fees" DECIMAL(78,0),
    ADD COLUMN "royalties" DECIMAL(78,0);

-- What a token is called.
CREATE TABLE "token_details" (
    "subject" SMALLINT NOT NULL,
    "collection" TEXT NOT NULL,
    "token_id" DECIMAL(98,0) NOT NULL,
    "standard" TEXT NOT NULL,
    "creator" TEXT,
    "collection_name" TEXT,
    "name" TEXT,
    "edition" DECIMAL(78,0),
    "description" TEXT,
    "uri" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "token_details_pkey" PRIMARY KEY ("subject", "collection", "token_id")
);

-- Tokens that a sender has set aside for a receiver.
CREATE TABLE "claims" (
    "subject" SMALLINT NOT NULL,
    "collection" TEXT NOT NULL,
    "token_id" DECIMAL(98,0) NOT NULL,
    "sender" TEXT NOT NULL,
    "receiver" TEXT NOT NULL,
    "standard" TEXT NOT NULL,
    "quantity" DECIMAL(78,0) NOT NULL,
    "status" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "claims_pkey" PRIMARY KEY ("subject", "collection", "token_id", "sender", "receiver")
);
CREATE INDEX "claims_receiver_idx" ON "claims"("receiver");
CREATE INDEX "claims_sender_idx" ON "claims"("sender");

CREATE TABLE "galleries" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "gallery_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "collection" TEXT,
    "token_id" DECIMAL(98,0),
    "standard" TEXT,
    "owner" TEXT,
    "space_type" TEXT,
    "name" TEXT,
    "metadata_uri" TEXT,
    "commissions" TEXT,
    "commission_pool" TEXT,
    "admissions" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "galleries_pkey" PRIMARY KEY ("subject", "contract", "gallery_id")
);
CREATE INDEX "galleries_owner_idx" ON "galleries"("owner");

CREATE TABLE "curation_offers" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "offer_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "collection" TEXT,
    "token_id" DECIMAL(98,0),
    "standard" TEXT,
    "status" TEXT NOT NULL,
    "gallery_id" DECIMAL(78,0),
    "from_address" TEXT,
    "to_address" TEXT,
    "price" DECIMAL(78,0),
    "currency" TEXT,
    "starts_at" TIMESTAMPTZ(6),
    "expires_at" TIMESTAMPTZ(6),
    "exhibit_expires_at" TIMESTAMPTZ(6),
    "url" TEXT,
    "detail" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "curation_offers_pkey" PRIMARY KEY ("subject", "contract", "offer_id")
);
CREATE INDEX "curation_offers_to_idx" ON "curation_offers"("to_address");
CREATE INDEX "curation_offers_from_idx" ON "curation_offers"("from_address");

CREATE TABLE "exhibits" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "exhibit_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "collection" TEXT,
    "token_id" DECIMAL(98,0),
    "standard" TEXT,
    "status" TEXT NOT NULL,
    "gallery_id" DECIMAL(78,0),
    "origin" TEXT,
    "curator" TEXT,
    "owner" TEXT,
    "price" DECIMAL(78,0),
    "currency" TEXT,
    "expires_at" TIMESTAMPTZ(6),
    "location" TEXT,
    "url" TEXT,
    "detail" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "exhibits_pkey" PRIMARY KEY ("subject", "contract", "exhibit_id")
);
CREATE INDEX "exhibits_gallery_idx" ON "exhibits"("subject", "contract", "gallery_id");
