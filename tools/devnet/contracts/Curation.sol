// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CommissionPool} from "./CommissionPool.sol";

interface IERC721Owned {
    function ownerOf(uint256 tokenId) external view returns (address);
    function transferFrom(address from, address to, uint256 tokenId) external;
}

/// What a gallery is to be. Rates are in ten thousandths of a sale; a pool at the zero address: no commissions.
struct GalleryTerms {
    address collection;
    uint256 tokenId;
    string spaceType;
    string name;
    string metadataUri;
    bool isToken;
    address[] payees;
    uint256[] commissionRates;
    address commissionPool;
    address[] admissions;
}

/// What an offer to exhibit asks for. Moments are unix seconds; 0: never, or at once.
struct OfferTerms {
    uint256 galleryId;
    address collection;
    uint256 tokenId;
    address to;
    uint256 price;
    uint64 startAt;
    uint64 expiredAt;
    uint64 exhibitExpiredAt;
    string url;
    string detail;
}

struct ExhibitTerms {
    uint256 galleryId;
    address collection;
    uint256 tokenId;
    uint256 price;
    uint64 expiration;
    string location;
    string url;
    string detail;
}

/// Galleries of the development chain, in which owners sell their tokens, and curators ask for tokens to show. Owners keep a
/// token until it is sold and approve this contract instead. Ids count from 1. `timestamp` in the events is the caller's.
contract Curation {
    event GalleryChanged(
        uint256 indexed id,
        string eventType,
        address collection,
        uint256 tokenId,
        address owner,
        string spaceType,
        string name,
        string metadataUri,
        bool isToken,
        uint64 timestamp,
        address[] payees,
        uint256[] commissionRates,
        address commissionPool,
        address[] admissions
    );
    event ExhibitChanged(
        uint256 indexed id,
        string eventType,
        uint256 galleryId,
        address collection,
        uint256 tokenId,
        address origin,
        uint64 expiration,
        uint256 price,
        string location,
        string url,
        string detail,
        uint64 timestamp
    );
    event OfferChanged(
        uint256 indexed id,
        string eventType,
        address collection,
        uint256 tokenId,
        address from,
        address to,
        uint256 price,
        uint256 galleryId,
        uint64 offerStartAt,
        uint64 offerExpiredAt,
        uint64 exhibitExpiredAt,
        string url,
        string detail,
        uint64 timestamp
    );

    enum ExhibitState {
        None,
        Listing,
        Reserved,
        Sold,
        Frozen,
        Redeemed
    }

    struct Gallery {
        address owner;
        GalleryTerms terms;
    }

    struct Offer {
        /// The zero address once it has been answered.
        address from;
        OfferTerms terms;
    }

    struct Exhibit {
        address origin;
        ExhibitState state;
        ExhibitTerms terms;
    }

    mapping(uint256 id => Gallery) private galleries;
    mapping(uint256 id => Offer) private offers;
    mapping(uint256 id => Exhibit) private exhibits;
    uint256 public galleryCount;
    uint256 public offerCount;
    uint256 public exhibitCount;

    function galleryOwner(uint256 id) external view returns (address) {
        return galleries[id].owner;
    }

    function offerFrom(uint256 id) external view returns (address) {
        return offers[id].from;
    }

    function exhibitState(uint256 id) external view returns (ExhibitState) {
        return exhibits[id].state;
    }

    function openGallery(GalleryTerms calldata terms, uint64 timestamp) external returns (uint256 id) {
        require(terms.payees.length == terms.commissionRates.length, "lengths differ");
        id = ++galleryCount;
        galleries[id] = Gallery(msg.sender, terms);
        tellGallery(id, "GalleryCreated", timestamp);
    }

    function changeGallery(
        uint256 id,
        string calldata name,
        address[] calldata payees,
        uint256[] calldata commissionRates,
        uint64 timestamp
    ) external {
        Gallery storage gallery = galleries[id];
        require(gallery.owner == msg.sender, "not your gallery");
        require(payees.length == commissionRates.length, "lengths differ");
        gallery.terms.name = name;
        gallery.terms.payees = payees;
        gallery.terms.commissionRates = commissionRates;
        tellGallery(id, "GalleryUpdated", timestamp);
    }

    function list(ExhibitTerms calldata terms, uint64 timestamp) external returns (uint256) {
        return exhibit(terms, msg.sender, timestamp);
    }

    function buy(uint256 id, uint64 timestamp) external payable {
        Exhibit storage sold = exhibits[id];
        require(sold.state == ExhibitState.Listing, "not a live exhibit");
        uint64 expiration = sold.terms.expiration;
        require(expiration == 0 || block.timestamp < expiration, "expired");
        require(msg.value == sold.terms.price, "not the price");
        sold.state = ExhibitState.Sold;
        tellExhibit(id, "ExhibitSold", timestamp);
        IERC721Owned(sold.terms.collection).transferFrom(sold.origin, msg.sender, sold.terms.tokenId);
        uint256 commission = payCommissions(sold.terms.galleryId, msg.value);
        (bool paid, ) = sold.origin.call{value: msg.value - commission}("");
        require(paid, "payment refused");
    }

    function cancel(uint256 id, uint64 timestamp) external {
        Exhibit storage listed = exhibits[id];
        require(listed.origin == msg.sender && listed.state == ExhibitState.Listing, "not a live exhibit of yours");
        listed.state = ExhibitState.Reserved;
        tellExhibit(id, "ExhibitCanceled", timestamp);
    }

    function freeze(uint256 id, uint64 timestamp) external {
        Exhibit storage shown = exhibits[id];
        require(galleries[shown.terms.galleryId].owner == msg.sender, "not your gallery");
        require(shown.state == ExhibitState.Listing || shown.state == ExhibitState.Reserved, "not there");
        shown.state = ExhibitState.Frozen;
        tellExhibit(id, "ExhibitFrozen", timestamp);
    }

    function redeem(uint256 id, uint64 timestamp) external {
        Exhibit storage shown = exhibits[id];
        require(shown.origin == msg.sender, "not an exhibit of yours");
        require(shown.state != ExhibitState.Sold && shown.state != ExhibitState.Redeemed, "not there");
        shown.state = ExhibitState.Redeemed;
        tellExhibit(id, "ExhibitRedeemed", timestamp);
    }

    function offer(OfferTerms calldata terms, uint64 timestamp) external returns (uint256 id) {
        require(galleries[terms.galleryId].owner == msg.sender, "not your gallery");
        id = ++offerCount;
        offers[id] = Offer(msg.sender, terms);
        tellOffer(id, "OfferCreated", timestamp);
    }

    /// The token's owner agrees: it is listed in the gallery at the offer's price.
    function acceptOffer(uint256 id, uint64 timestamp) external {
        OfferTerms memory terms = offers[id].terms;
        require(offers[id].from != address(0) && terms.to == msg.sender, "not a live offer to you");
        require(terms.expiredAt == 0 || block.timestamp < terms.expiredAt, "expired");
        tellOffer(id, "OfferAccepted", timestamp);
        offers[id].from = address(0);
        exhibit(
            ExhibitTerms(
                terms.galleryId,
                terms.collection,
                terms.tokenId,
                terms.price,
                terms.exhibitExpiredAt,
                "",
                terms.url,
                terms.detail
            ),
            msg.sender,
            timestamp
        );
    }

    function rejectOffer(uint256 id, uint64 timestamp) external {
        require(offers[id].from != address(0) && offers[id].terms.to == msg.sender, "not a live offer to you");
        tellOffer(id, "OfferRejected", timestamp);
        offers[id].from = address(0);
    }

    function cancelOffer(uint256 id, uint64 timestamp) external {
        require(offers[id].from == msg.sender, "not a live offer of yours");
        tellOffer(id, "OfferCanceled", timestamp);
        offers[id].from = address(0);
    }

    function exhibit(ExhibitTerms memory terms, address origin, uint64 timestamp) private returns (uint256 id) {
        require(galleries[terms.galleryId].owner != address(0), "no such gallery");
        require(IERC721Owned(terms.collection).ownerOf(terms.tokenId) == origin, "not the owner");
        id = ++exhibitCount;
        exhibits[id] = Exhibit(origin, ExhibitState.Listing, terms);
        tellExhibit(id, "ExhibitListed", timestamp);
    }

    function payCommissions(uint256 galleryId, uint256 price) private returns (uint256 sum) {
        GalleryTerms storage terms = galleries[galleryId].terms;
        if (terms.commissionPool == address(0) || terms.payees.length == 0) return 0;
        uint256[] memory amounts = new uint256[](terms.payees.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            amounts[i] = (price * terms.commissionRates[i]) / 10_000;
            sum += amounts[i];
        }
        CommissionPool(terms.commissionPool).deposit{value: sum}(galleryId, terms.payees, amounts);
    }

    function tellGallery(uint256 id, string memory eventType, uint64 timestamp) private {
        GalleryTerms memory terms = galleries[id].terms;
        emit GalleryChanged(
            id,
            eventType,
            terms.collection,
            terms.tokenId,
            galleries[id].owner,
            terms.spaceType,
            terms.name,
            terms.metadataUri,
            terms.isToken,
            timestamp,
            terms.payees,
            terms.commissionRates,
            terms.commissionPool,
            terms.admissions
        );
    }

    function tellExhibit(uint256 id, string memory eventType, uint64 timestamp) private {
        ExhibitTerms memory terms = exhibits[id].terms;
        emit ExhibitChanged(
            id,
            eventType,
            terms.galleryId,
            terms.collection,
            terms.tokenId,
            exhibits[id].origin,
            terms.expiration,
            terms.price,
            terms.location,
            terms.url,
            terms.detail,
            timestamp
        );
    }

    function tellOffer(uint256 id, string memory eventType, uint64 timestamp) private {
        OfferTerms memory terms = offers[id].terms;
        emit OfferChanged(
            id,
            eventType,
            terms.collection,
            terms.tokenId,
            offers[id].from,
            terms.to,
            terms.price,
            terms.galleryId,
            terms.startAt,
            terms.expiredAt,
            terms.exhibitExpiredAt,
            terms.url,
            terms.detail,
            timestamp
        );
    }
}
