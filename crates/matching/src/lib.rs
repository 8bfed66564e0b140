//! Inventory and almanac in, findings out: pure.
