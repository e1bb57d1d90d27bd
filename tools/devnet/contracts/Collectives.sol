// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {MultipleToken} from "./MultipleToken.sol";
import {SingleToken} from "./SingleToken.sol";

/// What a new collection is to be.
struct CollectionTerms {
    string name;
    string category;
    string[] tags;
    string description;
    string uri;
    address[] payees;
    uint256[] royalties;
    uint64 maximum;
}

/// What both factories share: the event and its checks.
abstract contract Collective {
    event CollectionCreated(
        address root,
        address creator,
        string name,
        string category,
        string[] tags,
        string description,
        string uri,
        address[] payees,
        uint256[] royalties,
        uint64 maximum
    );

    function create(CollectionTerms calldata terms) external returns (address root) {
        require(terms.payees.length == terms.royalties.length, "lengths differ");
        root = deploy(terms);
        emit CollectionCreated(
            root,
            msg.sender,
            terms.name,
            terms.category,
            terms.tags,
            terms.description,
            terms.uri,
            terms.payees,
            terms.royalties,
            terms.maximum
        );
    }

    function deploy(CollectionTerms calldata terms) internal virtual returns (address);
}

/// Creates ERC-721 collections.
contract SingleCollective is Collective {
    function deploy(CollectionTerms calldata terms) internal override returns (address) {
        return address(new SingleToken(terms.name, "IMART", terms.uri, msg.sender, terms.maximum));
    }
}

/// Creates ERC-1155 collections.
contract MultipleCollective is Collective {
    function deploy(CollectionTerms calldata terms) internal override returns (address) {
        return address(new MultipleToken(terms.name, terms.uri, msg.sender, terms.maximum));
    }
}
