// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

interface IERC721Movable {
    function transferFrom(address from, address to, uint256 tokenId) external;
}

/// Lotteries of ERC-721 tokens of the development chain. It holds the prizes until they are claimed or withdrawn. Ids count
/// from 1. Of the tree of winners only the root is there: whoever comes first may claim.
contract Lottery {
    event CreateActivity(
        address indexed organizer,
        uint256 indexed activityId,
        address nftContractAddress,
        uint256[] tokenIds,
        uint256 indexed endBlockNumber
    );
    event MerkleRoot(uint256 indexed activityId, bytes32 merkleRoot);
    event Claimed(address indexed claimer, address indexed organizer, uint256 indexed activityId, uint256 tokenId);
    event WithdrawPrize(address indexed organizer, uint256 indexed activityId);

    struct Activity {
        address organizer;
        address collection;
        bytes32 merkleRoot;
        /// What is neither claimed nor withdrawn; the last one takes the place of one that went.
        uint256[] prizes;
    }

    mapping(uint256 activityId => Activity) private activities;
    uint256 public activityCount;

    function prizesLeft(uint256 activityId) external view returns (uint256[] memory) {
        return activities[activityId].prizes;
    }

    function create(address collection, uint256[] calldata tokenIds, uint256 endBlockNumber)
        external
        returns (uint256 activityId)
    {
        activityId = ++activityCount;
        Activity storage activity = activities[activityId];
        activity.organizer = msg.sender;
        activity.collection = collection;
        activity.prizes = tokenIds;
        emit CreateActivity(msg.sender, activityId, collection, tokenIds, endBlockNumber);
        for (uint256 i = 0; i < tokenIds.length; i++) {
            IERC721Movable(collection).transferFrom(msg.sender, address(this), tokenIds[i]);
        }
    }

    function draw(uint256 activityId, bytes32 merkleRoot) external {
        require(activities[activityId].organizer == msg.sender, "not your lottery");
        activities[activityId].merkleRoot = merkleRoot;
        emit MerkleRoot(activityId, merkleRoot);
    }

    function claim(uint256 activityId, uint256 tokenId) external {
        Activity storage activity = activities[activityId];
        require(activity.merkleRoot != 0, "not drawn");
        uint256[] storage prizes = activity.prizes;
        uint256 place = 0;
        while (place < prizes.length && prizes[place] != tokenId) place++;
        require(place < prizes.length, "no such prize");
        prizes[place] = prizes[prizes.length - 1];
        prizes.pop();
        emit Claimed(msg.sender, activity.organizer, activityId, tokenId);
        IERC721Movable(activity.collection).transferFrom(address(this), msg.sender, tokenId);
    }

    function withdraw(uint256 activityId) external {
        Activity storage activity = activities[activityId];
        require(activity.organizer == msg.sender, "not your lottery");
        uint256[] memory prizes = activity.prizes;
        delete activity.prizes;
        emit WithdrawPrize(msg.sender, activityId);
        for (uint256 i = 0; i < prizes.length; i++) {
            IERC721Movable(activity.collection).transferFrom(address(this), msg.sender, prizes[i]);
        }
    }
}
