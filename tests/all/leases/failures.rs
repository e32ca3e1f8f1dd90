//! Stores that fail, hang, lie and panic. Each failure falls on the strict side.

use super::*;

