// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// Keeps the commissions of galleries of the development chain until their payees claim them. Whoever deposits is trusted
/// with what the galleries are.
contract CommissionPool {
    /// What the payee can claim of the gallery's sales from now on.
    event ClaimableUpdated(uint256 indexed galleryId, address payee, uint256 claimableBalance);

    mapping(uint256 galleryId => mapping(address payee => uint256)) public claimable;

    function deposit(uint256 galleryId, address[] calldata payees, uint256[] calldata amounts) external payable {
        require(payees.length == amounts.length, "lengths differ");
        uint256 sum = 0;
        for (uint256 i = 0; i < payees.length; i++) {
            sum += amounts[i];
            claimable[galleryId][payees[i]] += amounts[i];
            emit ClaimableUpdated(galleryId, payees[i], claimable[galleryId][payees[i]]);
        }
        require(msg.value == sum, "not the sum");
    }

    function claim(uint256 galleryId) external {
        uint256 amount = claimable[galleryId][msg.sender];
        require(amount > 0, "nothing to claim");
        claimable[galleryId][msg.sender] = 0;
        emit ClaimableUpdated(galleryId, msg.sender, 0);
        (bool paid, ) = msg.sender.call{value: amount}("");
        require(paid, "payment refused");
    }
}
