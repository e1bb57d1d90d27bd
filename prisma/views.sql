-- What needs several aggregates, computed from committed rows on reading and stored nowhere. Applied after the
-- migrations and again whenever tables have been switched: it may be run any number of times. New columns go to the end
-- of a view, because CREATE OR REPLACE VIEW accepts them nowhere else.
--
-- Chain time decides, never a host's clock: the time of the newest block that has been read.

CREATE OR REPLACE VIEW subject_view AS
SELECT
    s.id AS subject,
    s.subject_id,
    -- Exact: interval times a whole number of microseconds, which a double holds up to the year 2255.
    TIMESTAMPTZ 'epoch' + s.chain_time_us * INTERVAL '1 microsecond' AS chain_time
FROM subjects s;

-- Listings. `state` is what a listing is now; `status` is what its own events said last.
--   FILLED       all of its quantity has changed hands, though no event said that this ended it
--   EXPIRED      its time has passed: it is valid before, not at, `expires_at`
--   VOIDED       its maker has voided all orders below its nonce, or made before a moment
--   UNFILLABLE   its seller does not own the token now; it lives again when the token returns
--   NOT_STARTED  its time has not come
CREATE OR REPLACE VIEW order_view AS
SELECT
    o.subject,
    o.contract,
    o.order_id,
    o.opened_seq_no,
    o.aggregate_type,
    o.market,
    o.kind,
    o.status,
    o.seller,
    o.buyer,
    o.reserved_for,
    o.collection,
    o.token_id,
    o.standard,
    o.quantity,
    o.filled_quantity,
    o.price,
    o.currency,
    o.nonce,
    o.order_hash,
    o.escrow,
    o.starts_at,
    o.expires_at,
    o.items,
    o.created_at,
    o.updated_at,
    o.seq_no,
    o.version,
    s.subject_id,
    CASE
        WHEN o.status <> 'LISTING' THEN o.status
        WHEN o.filled_quantity >= o.quantity THEN 'FILLED'
        WHEN o.expires_at <= s.chain_time THEN 'EXPIRED'
        WHEN (CASE
                WHEN o.nonce IS NOT NULL AND m.listings_voided_below IS NOT NULL THEN o.nonce < m.listings_voided_below
                ELSE o.opened_seq_no < m.listings_voided_seq_no
              END) THEN 'VOIDED'
        -- A token without a row is one whose owner is not known; a row without owner is a burned token.
        WHEN o.kind = 'fixed' AND o.standard = 'erc721' AND NOT o.escrow AND o.seller IS NOT NULL
             AND t.subject IS NOT NULL AND t.owner IS DISTINCT FROM o.seller THEN 'UNFILLABLE'
        WHEN o.starts_at > s.chain_time THEN 'NOT_STARTED'
        ELSE o.status
    END AS state,
    -- Of one piece; NULL for a bundle, and when price or quantity is not known. Whole when the price divides.
    CASE
        WHEN o.items IS NOT NULL OR o.quantity IS NULL OR o.quantity = 0 THEN NULL
        WHEN o.quantity = 1 THEN o.price
        WHEN o.price % o.quantity = 0 THEN div(o.price, o.quantity)
        ELSE o.price / o.quantity
    END AS unit_price,
    CASE
        WHEN o.quantity > o.filled_quantity THEN o.quantity - o.filled_quantity
        WHEN o.quantity IS NOT NULL THEN 0
    END AS remaining_quantity
FROM orders o
JOIN subject_view s ON s.subject = o.subject
LEFT JOIN makers m
    ON m.subject = o.subject AND m.contract = o.contract AND m.maker = o.seller AND o.status = 'LISTING'
LEFT JOIN tokens t
    ON t.subject = o.subject AND t.collection = o.collection AND t.token_id = o.token_id AND o.status = 'LISTING';

-- Offers: on a token, or on any token of a collection (`token_id` NULL). States as above.
CREATE OR REPLACE VIEW offer_view AS
SELECT
    o.subject,
    o.contract,
    o.order_id,
    o.opened_seq_no,
    o.aggregate_type,
    o.market,
    o.kind,
    o.status,
    o.bidder,
    o.seller,
    o.reserved_for,
    o.collection,
    o.token_id,
    o.standard,
    o.quantity,
    o.filled_quantity,
    o.price,
    o.currency,
    o.nonce,
    o.order_hash,
    o.escrow,
    o.starts_at,
    o.expires_at,
    o.items,
    o.created_at,
    o.updated_at,
    o.seq_no,
    o.version,
    s.subject_id,
    CASE
        WHEN o.status <> 'CREATED' THEN o.status
        WHEN o.filled_quantity >= o.quantity THEN 'FILLED'
        WHEN o.expires_at <= s.chain_time THEN 'EXPIRED'
        WHEN (CASE
                WHEN o.nonce IS NOT NULL AND m.offers_voided_below IS NOT NULL THEN o.nonce < m.offers_voided_below
                ELSE o.opened_seq_no < m.offers_voided_seq_no
              END) THEN 'VOIDED'
        WHEN o.starts_at > s.chain_time THEN 'NOT_STARTED'
        ELSE o.status
    END AS state,
    CASE
        WHEN o.items IS NOT NULL OR o.quantity IS NULL OR o.quantity = 0 THEN NULL
        WHEN o.quantity = 1 THEN o.price
        WHEN o.price % o.quantity = 0 THEN div(o.price, o.quantity)
        ELSE o.price / o.quantity
    END AS unit_price,
    CASE
        WHEN o.quantity > o.filled_quantity THEN o.quantity - o.filled_quantity
        WHEN o.quantity IS NOT NULL THEN 0
    END AS remaining_quantity
FROM offers o
JOIN subject_view s ON s.subject = o.subject
LEFT JOIN makers m
    ON m.subject = o.subject AND m.contract = o.contract AND m.maker = o.bidder AND o.status = 'CREATED';

-- Sales, one row for each item: every item of a bundle repeats the price of the whole, sums count `item` 0 only.
CREATE OR REPLACE VIEW sale_view AS
SELECT
    a.subject,
    a.seq_no,
    a.item,
    a.market,
    a.contract,
    a.order_id,
    a.side,
    a.collection,
    a.token_id,
    a.quantity,
    a.from_address AS seller,
    a.to_address AS buyer,
    a.price,
    a.currency,
    a.item_count,
    a.block_number,
    a.log_index,
    a.tx_hash,
    a.block_time,
    s.subject_id
FROM activities a
JOIN subjects s ON s.id = a.subject
WHERE a.kind = 'SALE';

-- Tokens: those with one owner from their rows, those that several may own pieces of from the balances of their owners.
CREATE OR REPLACE VIEW token_view AS
SELECT
    t.subject,
    s.subject_id,
    t.collection,
    t.token_id,
    t.standard,
    -- NULL once burned, and for ERC-1155.
    t.owner,
    t.owner_count,
    -- Pieces known to exist. Those minted before the first followed block count from their first transfer on.
    t.supply,
    t.minted_at,
    -- NULL for ERC-1155.
    t.transfer_count,
    t.created_at,
    t.updated_at,
    t.seq_no,
    -- Of the whole trade; `last_sale_item_count` tells how many items share it.
    sale.price AS last_sale_price,
    sale.currency AS last_sale_currency,
    sale.quantity AS last_sale_quantity,
    sale.item_count AS last_sale_item_count,
    sale.block_time AS last_sale_at,
    -- The cheapest live public listing at a fixed price of each currency, by unit price, native coin first:
    -- [{currency, unit_price, contract, order_id, seller}], amounts as text.
    COALESCE(listing.cheapest, '[]'::jsonb) AS listings,
    -- The highest live public offer of each currency, on the token or its whole collection, native coin first:
    -- [{currency, unit_price, contract, order_id, bidder, collection_offer}], amounts as text.
    COALESCE(offer.highest, '[]'::jsonb) AS offers
FROM (
    SELECT
        subject, collection, token_id, standard, owner,
        CASE WHEN owner IS NULL THEN 0 ELSE 1 END::bigint AS owner_count,
        CASE WHEN owner IS NULL THEN 0 ELSE 1 END::numeric AS supply,
        minted_at, transfer_count, created_at, updated_at, seq_no
    FROM tokens
    UNION ALL
    SELECT
        subject, collection, token_id, min(standard), NULL,
        count(*) FILTER (WHERE quantity > 0),
        COALESCE(sum(quantity) FILTER (WHERE quantity > 0), 0),
        NULL, NULL, min(created_at), max(updated_at), max(seq_no)
    FROM balances
    GROUP BY subject, collection, token_id
) t
JOIN subjects s ON s.id = t.subject
LEFT JOIN LATERAL (
    SELECT a.price, a.currency, a.quantity, a.item_count, a.block_time
    FROM activities a
    WHERE a.subject = t.subject AND a.collection = t.collection AND a.token_id = t.token_id AND a.kind = 'SALE'
    ORDER BY a.seq_no DESC, a.item
    LIMIT 1
) sale ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
               'currency', c.currency, 'unit_price', trim_scale(c.unit_price)::text,
               'contract', c.contract, 'order_id', c.order_id, 'seller', c.seller)
           ORDER BY c.currency COLLATE "C") AS cheapest
    FROM (
        SELECT DISTINCT ON (o.currency) o.currency, o.unit_price, o.contract, o.order_id, o.seller
        FROM order_view o
        WHERE o.subject = t.subject AND o.collection = t.collection AND o.token_id = t.token_id
          AND o.status = 'LISTING' AND o.state = 'LISTING'
          AND o.kind = 'fixed' AND o.reserved_for IS NULL AND o.unit_price IS NOT NULL
        ORDER BY o.currency, o.unit_price, o.opened_seq_no
    ) c
) listing ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
               'currency', c.currency, 'unit_price', trim_scale(c.unit_price)::text,
               'contract', c.contract, 'order_id', c.order_id, 'bidder', c.bidder,
               'collection_offer', c.token_id IS NULL)
           ORDER BY c.currency COLLATE "C") AS highest
    FROM (
        SELECT DISTINCT ON (o.currency) o.currency, o.unit_price, o.contract, o.order_id, o.bidder, o.token_id
        FROM offer_view o
        WHERE o.subject = t.subject AND o.collection = t.collection
          AND (o.token_id = t.token_id OR o.token_id IS NULL)
          AND o.status = 'CREATED' AND o.state = 'CREATED'
          AND o.reserved_for IS NULL AND o.unit_price IS NOT NULL
        ORDER BY o.currency, o.unit_price DESC, o.opened_seq_no
    ) c
) offer ON true;

-- Every collection that any row names, known to a factory or not.
CREATE OR REPLACE VIEW collection_key_view AS
SELECT subject, address FROM collections
UNION SELECT subject, collection FROM tokens
UNION SELECT subject, collection FROM balances
UNION SELECT subject, collection FROM orders WHERE collection IS NOT NULL
UNION SELECT subject, collection FROM offers WHERE collection IS NOT NULL
UNION SELECT subject, collection FROM activities WHERE collection IS NOT NULL;

CREATE OR REPLACE VIEW collection_view AS
SELECT
    k.subject,
    s.subject_id,
    k.address,
    -- From here to `maximum` NULL when no followed factory made it.
    c.factory,
    COALESCE(c.standard, seen.standard) AS standard,
    c.creator,
    c.name,
    c.name_bytes,
    c.category,
    c.tags,
    c.description,
    c.uri,
    c.royalties,
    c.maximum,
    c.created_at,
    -- Tokens known to exist now, ERC-1155 ids included.
    tok.token_count + bal.token_count AS token_count,
    own.owner_count,
    -- Live listings, and the tokens they are for.
    lst.listed_count,
    lst.listed_token_count,
    -- The least unit price of the live public listings at a fixed price, of each currency, native coin first:
    -- [{currency, unit_price, listed_count}], amounts as text.
    COALESCE(lst.floors, '[]'::jsonb) AS floors,
    -- Trades that moved a token of it.
    COALESCE(sal.sale_count, 0) AS sale_count,
    -- Prices of its sales, of each currency, native coin first; a bundle counts once, for the collection of its first
    -- item: [{currency, amount, sale_count}], amounts as text.
    COALESCE(sal.volumes, '[]'::jsonb) AS volumes,
    sal.last_sale_at
FROM collection_key_view k
JOIN subjects s ON s.id = k.subject
LEFT JOIN collections c ON c.subject = k.subject AND c.address = k.address
LEFT JOIN LATERAL (
    SELECT count(*) AS token_count
    FROM tokens t WHERE t.subject = k.subject AND t.collection = k.address AND t.owner IS NOT NULL
) tok ON true
LEFT JOIN LATERAL (
    SELECT count(DISTINCT b.token_id) AS token_count
    FROM balances b WHERE b.subject = k.subject AND b.collection = k.address AND b.quantity > 0
) bal ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS owner_count FROM (
        SELECT t.owner FROM tokens t
        WHERE t.subject = k.subject AND t.collection = k.address AND t.owner IS NOT NULL
        UNION
        SELECT b.owner FROM balances b
        WHERE b.subject = k.subject AND b.collection = k.address AND b.quantity > 0
    ) o
) own ON true
LEFT JOIN LATERAL (
    SELECT COALESCE(
        (SELECT t.standard FROM tokens t WHERE t.subject = k.subject AND t.collection = k.address LIMIT 1),
        (SELECT b.standard FROM balances b WHERE b.subject = k.subject AND b.collection = k.address LIMIT 1)
    ) AS standard
) seen ON true
LEFT JOIN LATERAL (
    SELECT
        COALESCE(sum(f.listed_count), 0)::bigint AS listed_count,
        (SELECT count(DISTINCT o.token_id) FROM order_view o
         WHERE o.subject = k.subject AND o.collection = k.address AND o.status = 'LISTING' AND o.state = 'LISTING'
        ) AS listed_token_count,
        jsonb_agg(jsonb_build_object(
            'currency', f.currency, 'unit_price', trim_scale(f.floor)::text, 'listed_count', f.listed_count)
            ORDER BY f.currency COLLATE "C") FILTER (WHERE f.floor IS NOT NULL) AS floors
    FROM (
        SELECT
            o.currency,
            count(*) AS listed_count,
            min(o.unit_price) FILTER (WHERE o.kind = 'fixed' AND o.reserved_for IS NULL) AS floor
        FROM order_view o
        WHERE o.subject = k.subject AND o.collection = k.address AND o.status = 'LISTING' AND o.state = 'LISTING'
        GROUP BY o.currency
    ) f
) lst ON true
LEFT JOIN LATERAL (
    SELECT
        sum(v.trades)::bigint AS sale_count,
        max(v.last_sale_at) AS last_sale_at,
        jsonb_agg(jsonb_build_object(
            'currency', v.currency, 'amount', v.amount::text, 'sale_count', v.priced)
            ORDER BY v.currency COLLATE "C") FILTER (WHERE v.amount IS NOT NULL) AS volumes
    FROM (
        SELECT
            a.currency,
            count(DISTINCT a.seq_no) AS trades,
            count(*) FILTER (WHERE a.item = 0 AND a.price IS NOT NULL) AS priced,
            sum(a.price) FILTER (WHERE a.item = 0) AS amount,
            max(a.block_time) AS last_sale_at
        FROM activities a
        WHERE a.subject = k.subject AND a.collection = k.address AND a.kind = 'SALE'
        GROUP BY a.currency
    ) v
) sal ON true;
