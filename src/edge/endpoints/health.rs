//! `GET /healthz`.

use crate::edge::runtime::settings;
use crate::edge::storage::{console_object, user_object};
use crate::http::Response;
use crate::settings::SettingProblem;
use serde_json::json;
use worker::Env;

/// Answers 200 if all settings and bindings are present and valid. Otherwise answers 503 with a list of problems.
pub(crate) fn serve(env: &Env) -> Response {
    let mut problems = settings::read(env).err().unwrap_or_default();
    if env.kv("SIGNET_KV").is_err() {
        problems.push(SettingProblem { setting: "SIGNET_KV", problem: "is not bound".into() });
    }
    for setting in [user_object::BINDING, console_object::BINDING] {
        if env.durable_object(setting).is_err() {
            problems.push(SettingProblem { setting, problem: "is not bound".into() });
        }
    }
    if problems.is_empty() {
        Response::json(200, &json!({"status": "ok"}))
    } else {
        Response::json(503, &json!({"status": "unavailable", "problems": problems})).with("Retry-After", "5")
    }
}
