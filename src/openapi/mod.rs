//! The OpenAPI 3.1 description of the API. The tests compare it with the code.

pub const DOCUMENT: &str = include_str!("openapi.json");

#[cfg(test)]
mod tests;
