// An example of an Aptos marketplace in one file: the listings of Tradeport's first market, which give no ids. Follow them with
//   MARKETS=./tools/examples/tradeportListings.cjs
// docs/add-an-aptos-marketplace.md explains every field.
'use strict';

const listing = {
  // Every event about a listing names its token and its seller, and nothing else that they have in common.
  key: ['$token', '$seller'],
  token: { v1: 'token_id' },
  seller: 'owner|seller',
  price: 'price',
};

/** @type {{ marketplace: import('@imart/chain-aptos').MarketDeclaration }} */
module.exports = {
  marketplace: {
    name: 'tradeport-listings',
    packages: { 1: '0xe11c12ec495f3989c35e1c6a0af414451223305b579291fc8f3d9d0575a23c26' },
    events: {
      'listings::InsertListingEvent': { means: 'list', ...listing },
      'listings::DeleteListingEvent': { means: 'delist', ...listing },
      // No event tells a fee: it is what did not reach the seller.
      'listings::BuyEvent': { means: 'buy', ...listing, buyer: 'buyer', fees: '$deposits', closes: true },
    },
  },
};
