-- Commissions of galleries, lotteries and their prizes; and what was curated or set aside, newest first.

-- What payees may claim of the sales of galleries.
CREATE TABLE "commissions" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "gallery_id" DECIMAL(78,0) NOT NULL,
    "payee" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "claimable" DECIMAL(78,0) NOT NULL,
    "currency" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "commissions_pkey" PRIMARY KEY ("subject","contract","gallery_id","payee")
);
CREATE INDEX "commissions_created_idx" ON "commissions"("subject", "created_at");
CREATE INDEX "commissions_payee_idx" ON "commissions"("payee");

CREATE TABLE "lotteries" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "lottery_id" TEXT NOT NULL,
    "market" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "organizer" TEXT,
    "collection" TEXT,
    "end_block" DECIMAL(78,0),
    "merkle_root" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "lotteries_pkey" PRIMARY KEY ("subject","contract","lottery_id")
);
CREATE INDEX "lotteries_created_idx" ON "lotteries"("subject", "created_at");
CREATE INDEX "lotteries_organizer_idx" ON "lotteries"("organizer");

-- Tokens to be won in lotteries.
CREATE TABLE "prizes" (
    "subject" SMALLINT NOT NULL,
    "contract" TEXT NOT NULL,
    "lottery_id" TEXT NOT NULL,
    "token_id" DECIMAL(98,0) NOT NULL,
    "market" TEXT NOT NULL,
    "organizer" TEXT,
    "collection" TEXT,
    "quantity" DECIMAL(78,0),
    "claimed_quantity" DECIMAL(78,0) NOT NULL,
    "claimer" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,
    "seq_no" BIGINT NOT NULL,
    "version" INTEGER NOT NULL,
    CONSTRAINT "prizes_pkey" PRIMARY KEY ("subject","contract","lottery_id","token_id")
);
CREATE INDEX "prizes_created_idx" ON "prizes"("subject", "created_at");
CREATE INDEX "prizes_claimer_idx" ON "prizes"("claimer");
CREATE INDEX "prizes_token_idx" ON "prizes"("collection", "token_id");

-- A page of the newest ones reads no more than that page.
CREATE INDEX "galleries_created_idx" ON "galleries"("subject", "created_at");
CREATE INDEX "curation_offers_created_idx" ON "curation_offers"("subject", "created_at");
CREATE INDEX "exhibits_created_idx" ON "exhibits"("subject", "created_at");
CREATE INDEX "exhibits_token_idx" ON "exhibits"("collection", "token_id");
CREATE INDEX "claims_created_idx" ON "claims"("subject", "created_at");
