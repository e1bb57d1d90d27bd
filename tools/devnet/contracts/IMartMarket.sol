// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

interface IERC721 {
    function ownerOf(uint256 tokenId) external view returns (address);
    function transferFrom(address from, address to, uint256 tokenId) external;
}

/// Fixed-price market for ERC-721 tokens of the development chain. Sellers keep their token until it is sold and approve
/// the market instead; bidders leave the money of an offer with it. Ids count from 1. An `expiresAt` of 0 never expires.
contract IMartMarket {
    event Listed(
        uint256 indexed orderId,
        address indexed collection,
        uint256 indexed tokenId,
        address seller,
        uint256 price,
        uint64 expiresAt
    );
    event Sold(uint256 indexed orderId, address indexed buyer, uint256 price);
    event Delisted(uint256 indexed orderId);
    event OfferCreated(
        uint256 indexed offerId,
        address indexed collection,
        uint256 indexed tokenId,
        address bidder,
        uint256 price,
        uint64 expiresAt
    );
    event OfferAccepted(uint256 indexed offerId, address indexed seller);
    event OfferCanceled(uint256 indexed offerId);

    /// An order or an offer; `maker` is the zero address once it has ended.
    struct Trade {
        address collection;
        address maker;
        uint64 expiresAt;
        uint256 tokenId;
        uint256 price;
    }

    mapping(uint256 orderId => Trade) public orders;
    mapping(uint256 offerId => Trade) public offers;
    /// The live order of a seller for a token; 0 when there is none.
    mapping(address collection => mapping(uint256 tokenId => mapping(address seller => uint256))) public orderOf;
    uint256 public orderCount;
    uint256 public offerCount;

    function list(address collection, uint256 tokenId, uint256 price, uint64 expiresAt) external returns (uint256 orderId) {
        require(IERC721(collection).ownerOf(tokenId) == msg.sender, "not the owner");
        require(orderOf[collection][tokenId][msg.sender] == 0, "listed already: reprice it");
        orderId = ++orderCount;
        orders[orderId] = Trade(collection, msg.sender, expiresAt, tokenId, price);
        orderOf[collection][tokenId][msg.sender] = orderId;
        emit Listed(orderId, collection, tokenId, msg.sender, price, expiresAt);
    }

    /// Changes price and expiry of a live order: a second `Listed` with the same id.
    function reprice(uint256 orderId, uint256 price, uint64 expiresAt) external {
        Trade storage order = orders[orderId];
        require(order.maker == msg.sender, "not a live order of yours");
        order.price = price;
        order.expiresAt = expiresAt;
        emit Listed(orderId, order.collection, order.tokenId, msg.sender, price, expiresAt);
    }

    function buy(uint256 orderId) external payable {
        Trade memory order = orders[orderId];
        require(order.maker != address(0), "not a live order");
        require(order.expiresAt == 0 || block.timestamp < order.expiresAt, "expired");
        require(msg.value == order.price, "not the price");
        closeOrder(orderId, order);
        emit Sold(orderId, msg.sender, order.price);
        IERC721(order.collection).transferFrom(order.maker, msg.sender, order.tokenId);
        pay(order.maker, order.price);
    }

    function delist(uint256 orderId) external {
        Trade memory order = orders[orderId];
        require(order.maker == msg.sender, "not a live order of yours");
        closeOrder(orderId, order);
        emit Delisted(orderId);
    }

    function offer(address collection, uint256 tokenId, uint64 expiresAt) external payable returns (uint256 offerId) {
        offerId = ++offerCount;
        offers[offerId] = Trade(collection, msg.sender, expiresAt, tokenId, msg.value);
        emit OfferCreated(offerId, collection, tokenId, msg.sender, msg.value, expiresAt);
    }

    /// The token's owner takes an offer. A live order of theirs for the token ends first.
    function acceptOffer(uint256 offerId) external {
        Trade memory taken = offers[offerId];
        require(taken.maker != address(0), "not a live offer");
        require(taken.expiresAt == 0 || block.timestamp < taken.expiresAt, "expired");
        uint256 orderId = orderOf[taken.collection][taken.tokenId][msg.sender];
        if (orderId != 0) {
            closeOrder(orderId, orders[orderId]);
            emit Delisted(orderId);
        }
        delete offers[offerId];
        emit OfferAccepted(offerId, msg.sender);
        IERC721(taken.collection).transferFrom(msg.sender, taken.maker, taken.tokenId);
        pay(msg.sender, taken.price);
    }

    function cancelOffer(uint256 offerId) external {
        Trade memory canceled = offers[offerId];
        require(canceled.maker == msg.sender, "not a live offer of yours");
        delete offers[offerId];
        emit OfferCanceled(offerId);
        pay(msg.sender, canceled.price);
    }

    function closeOrder(uint256 orderId, Trade memory order) private {
        delete orders[orderId];
        delete orderOf[order.collection][order.tokenId][order.maker];
    }

    function pay(address to, uint256 amount) private {
        (bool paid, ) = to.call{value: amount}("");
        require(paid, "payment refused");
    }
}
