-- The product's tables under the column names of the benchmark's expected state. Nothing in the product is made for it.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE OR REPLACE VIEW bench.orders AS
SELECT order_id::numeric AS id, collection, token_id, seller, price, extract(epoch FROM expires_at)::bigint AS expires_at,
    CASE status WHEN 'LISTING' THEN 'active' WHEN 'SOLD' THEN 'sold' WHEN 'CANCELED' THEN 'canceled' END AS status,
    buyer, extract(epoch FROM created_at)::bigint AS created_at, extract(epoch FROM updated_at)::bigint AS updated_at
FROM public.orders;

CREATE OR REPLACE VIEW bench.offers AS
SELECT order_id::numeric AS id, collection, token_id, bidder, price, extract(epoch FROM expires_at)::bigint AS expires_at,
    CASE status WHEN 'CREATED' THEN 'active' WHEN 'ACCEPTED' THEN 'accepted' WHEN 'CANCELED' THEN 'canceled' END AS status,
    seller, extract(epoch FROM created_at)::bigint AS created_at, extract(epoch FROM updated_at)::bigint AS updated_at
FROM public.offers;

CREATE OR REPLACE VIEW bench.tokens AS
SELECT t.collection, t.token_id, t.owner, extract(epoch FROM t.minted_at)::bigint AS minted_at, t.transfer_count,
    s.price AS last_sale_price
FROM public.tokens t
LEFT JOIN (
    SELECT DISTINCT ON (subject, collection, token_id) subject, collection, token_id, price
    FROM public.activities WHERE kind = 'SALE' ORDER BY subject, collection, token_id, seq_no DESC
) s USING (subject, collection, token_id);

CREATE OR REPLACE VIEW bench.activities AS
SELECT block_number, log_index,
    CASE
        WHEN kind = 'LIST' THEN 'list'
        WHEN kind = 'SALE' AND side = 'listing' THEN 'sale'
        WHEN kind = 'SALE' AND side = 'offer' THEN 'offer_accept'
        WHEN kind = 'CANCEL' THEN 'delist'
        WHEN kind = 'OFFER' THEN 'offer'
        WHEN kind = 'OFFER_CANCEL' THEN 'offer_cancel'
        ELSE lower(kind)
    END AS kind,
    collection, token_id, from_address, to_address,
    price, tx_hash, extract(epoch FROM block_time)::bigint AS timestamp
FROM public.activities;
