//! The order of the modules, and what the pages say of the code.

mod architecture;
mod documents;
