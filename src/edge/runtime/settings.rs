//! The settings, read from the Worker's environment.

use crate::settings::{SettingProblem, Settings};
use std::cell::OnceCell;
use std::rc::Rc;
use worker::Env;
use worker::js_sys::{JSON, Reflect};

thread_local! {
    /// Settings do not change during the life of an isolate, because a changed setting is a new deployment.
    static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
}

/// The settings, parsed once per isolate.
///
/// # Errors
/// All problems of the settings.
pub(crate) fn read(env: &Env) -> Result<Rc<Settings>, Vec<SettingProblem>> {
    SETTINGS.with(|cell| {
        if let Some(settings) = cell.get() {
            return Ok(Rc::clone(settings));
        }
        let settings = Rc::new(Settings::parse(|name| read_one(env, name))?);
        Ok(Rc::clone(cell.get_or_init(|| settings)))
    })
}

/// One setting as text. Numbers and tables in wrangler.toml are converted to JSON.
fn read_one(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok()?;
    match value.as_string() {
        Some(text) => Some(text),
        None if value.is_undefined() => None,
        None => JSON::stringify(&value).ok()?.as_string(),
    }
}
