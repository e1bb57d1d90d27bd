// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

interface IERC1155 {
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external;
}

/// Fixed-price market for ERC-1155 tokens of the development chain. It holds the tokens while they are listed; a listing is
/// bought in parts. Ids count from 1. Prices are per token.
contract MixverseSpace {
    event ItemListedEvent(
        uint256 indexed id,
        uint256 tokenId,
        address collection,
        address owner,
        uint256 totalAmount,
        uint256 pricePerToken,
        string uri
    );
    /// Every purchase.
    event ItemPurchasedEvent(
        uint256 indexed id,
        uint256 tokenId,
        address collection,
        address owner,
        address buyer,
        uint256 totalAmount,
        uint256 amount,
        uint256 pricePerToken
    );
    /// Additionally, when the last token of the listing is gone.
    event ItemSoldEvent(
        uint256 indexed id,
        uint256 tokenId,
        address collection,
        address owner,
        uint256 totalAmount,
        uint256 pricePerToken
    );
    /// `amount`: what had not been sold and goes back.
    event ItemCanceledEvent(
        uint256 indexed id,
        uint256 tokenId,
        address collection,
        address owner,
        uint256 totalAmount,
        uint256 amount,
        uint256 pricePerToken
    );

    struct Item {
        uint256 tokenId;
        address collection;
        address owner;
        uint256 totalAmount;
        uint256 left;
        uint256 pricePerToken;
    }

    mapping(uint256 id => Item) public items;
    uint256 public itemCount;

    function list(address collection, uint256 tokenId, uint256 amount, uint256 pricePerToken, string calldata uri)
        external
        returns (uint256 id)
    {
        require(amount > 0, "nothing to list");
        id = ++itemCount;
        items[id] = Item(tokenId, collection, msg.sender, amount, amount, pricePerToken);
        emit ItemListedEvent(id, tokenId, collection, msg.sender, amount, pricePerToken, uri);
        IERC1155(collection).safeTransferFrom(msg.sender, address(this), tokenId, amount, "");
    }

    function purchase(uint256 id, uint256 amount) external payable {
        Item storage item = items[id];
        require(amount > 0 && amount <= item.left, "not that many left");
        require(msg.value == amount * item.pricePerToken, "not the price");
        item.left -= amount;
        emit ItemPurchasedEvent(
            id,
            item.tokenId,
            item.collection,
            item.owner,
            msg.sender,
            item.totalAmount,
            amount,
            item.pricePerToken
        );
        if (item.left == 0) {
            emit ItemSoldEvent(id, item.tokenId, item.collection, item.owner, item.totalAmount, item.pricePerToken);
        }
        IERC1155(item.collection).safeTransferFrom(address(this), msg.sender, item.tokenId, amount, "");
        (bool paid, ) = item.owner.call{value: msg.value}("");
        require(paid, "payment refused");
    }

    function cancel(uint256 id) external {
        Item storage item = items[id];
        uint256 left = item.left;
        require(item.owner == msg.sender && left > 0, "not a live listing of yours");
        item.left = 0;
        emit ItemCanceledEvent(
            id,
            item.tokenId,
            item.collection,
            item.owner,
            item.totalAmount,
            left,
            item.pricePerToken
        );
        IERC1155(item.collection).safeTransferFrom(address(this), msg.sender, item.tokenId, left, "");
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }
}
