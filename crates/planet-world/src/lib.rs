//! The drawn earth.
