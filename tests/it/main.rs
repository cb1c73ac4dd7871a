//! Behaviour, over real HTTP on loopback.
