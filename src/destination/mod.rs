//! Destinations: the scopes that name them, their inputs, and their addresses in the client area.

mod client_area;
mod inputs;
mod path;
mod scope;

pub use client_area::ClientArea;
pub use inputs::{DestinationInputs, MissingInput};
pub use path::RelativePath;
pub use scope::{Scope, ScopeSet};
