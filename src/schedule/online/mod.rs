//! Schedules for a chain whose length shows when its end is reached, and those that keep every
//! state.

mod phases;
mod binomial;
mod store_all;
mod ended;

pub use binomial::Online;
pub use ended::Ended;
pub use store_all::{StoreAll, StoreAllOnline};
