//! What Signet's API is, for programs: an OpenAPI 3.1 document. The tests hold it to the code, and the code to it.

/// The document.
pub const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
mod tests;
