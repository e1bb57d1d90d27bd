// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

interface IERC1155Receiver {
    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data)
        external
        returns (bytes4);
    function onERC1155BatchReceived(
        address operator,
        address from,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external returns (bytes4);
}

/// A plain ERC-1155 collection of the development chain: anybody mints, holders burn. The first mint of an id names its URI.
contract MultipleToken {
    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);
    event TransferBatch(
        address indexed operator,
        address indexed from,
        address indexed to,
        uint256[] ids,
        uint256[] values
    );
    event ApprovalForAll(address indexed account, address indexed operator, bool approved);
    event URI(string value, uint256 indexed id);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);

    string public name;
    string public baseUri;
    address public owner;
    /// Most units of one id that may ever be minted; 0: no limit.
    uint64 public maximum;

    mapping(uint256 id => uint256) public minted;
    mapping(address account => mapping(uint256 id => uint256)) private balances;
    mapping(address account => mapping(address operator => bool)) public isApprovedForAll;

    constructor(string memory name_, string memory baseUri_, address owner_, uint64 maximum_) {
        name = name_;
        baseUri = baseUri_;
        owner = owner_;
        maximum = maximum_;
        emit OwnershipTransferred(address(0), owner_);
    }

    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == 0x01ffc9a7 || id == 0xd9b67a26 || id == 0x0e89341c;
    }

    function uri(uint256) external view returns (string memory) {
        return baseUri;
    }

    function balanceOf(address account, uint256 id) external view returns (uint256) {
        return balances[account][id];
    }

    function balanceOfBatch(address[] calldata accounts, uint256[] calldata ids) external view returns (uint256[] memory out) {
        require(accounts.length == ids.length, "lengths differ");
        out = new uint256[](ids.length);
        for (uint256 i = 0; i < ids.length; i++) out[i] = balances[accounts[i]][ids[i]];
    }

    function mint(address to, uint256 id, uint256 value) external {
        nameUri(id);
        credit(to, id, value, true);
        emit TransferSingle(msg.sender, address(0), to, id, value);
        acceptSingle(address(0), to, id, value, "");
    }

    function mintBatch(address to, uint256[] calldata ids, uint256[] calldata values) external {
        require(ids.length == values.length, "lengths differ");
        for (uint256 i = 0; i < ids.length; i++) {
            nameUri(ids[i]);
            credit(to, ids[i], values[i], true);
        }
        emit TransferBatch(msg.sender, address(0), to, ids, values);
        acceptBatch(address(0), to, ids, values, "");
    }

    function burn(uint256 id, uint256 value) external {
        debit(msg.sender, id, value);
        emit TransferSingle(msg.sender, msg.sender, address(0), id, value);
    }

    function burnBatch(uint256[] calldata ids, uint256[] calldata values) external {
        require(ids.length == values.length, "lengths differ");
        for (uint256 i = 0; i < ids.length; i++) debit(msg.sender, ids[i], values[i]);
        emit TransferBatch(msg.sender, msg.sender, address(0), ids, values);
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes calldata data) external {
        require(msg.sender == from || isApprovedForAll[from][msg.sender], "not allowed");
        debit(from, id, value);
        credit(to, id, value, false);
        emit TransferSingle(msg.sender, from, to, id, value);
        acceptSingle(from, to, id, value, data);
    }

    function safeBatchTransferFrom(
        address from,
        address to,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external {
        require(msg.sender == from || isApprovedForAll[from][msg.sender], "not allowed");
        require(ids.length == values.length, "lengths differ");
        for (uint256 i = 0; i < ids.length; i++) {
            debit(from, ids[i], values[i]);
            credit(to, ids[i], values[i], false);
        }
        emit TransferBatch(msg.sender, from, to, ids, values);
        acceptBatch(from, to, ids, values, data);
    }

    function nameUri(uint256 id) private {
        if (minted[id] == 0) emit URI(baseUri, id);
    }

    function credit(address to, uint256 id, uint256 value, bool isMint) private {
        require(to != address(0), "to the zero address");
        if (isMint) {
            minted[id] += value;
            require(maximum == 0 || minted[id] <= maximum, "all are minted");
        }
        balances[to][id] += value;
    }

    function debit(address from, uint256 id, uint256 value) private {
        require(balances[from][id] >= value, "balance too low");
        balances[from][id] -= value;
    }

    function acceptSingle(address from, address to, uint256 id, uint256 value, bytes memory data) private {
        if (to.code.length == 0) return;
        bytes4 answer = IERC1155Receiver(to).onERC1155Received(msg.sender, from, id, value, data);
        require(answer == IERC1155Receiver.onERC1155Received.selector, "receiver refuses");
    }

    function acceptBatch(address from, address to, uint256[] calldata ids, uint256[] calldata values, bytes memory data)
        private
    {
        if (to.code.length == 0) return;
        bytes4 answer = IERC1155Receiver(to).onERC1155BatchReceived(msg.sender, from, ids, values, data);
        require(answer == IERC1155Receiver.onERC1155BatchReceived.selector, "receiver refuses");
    }
}
